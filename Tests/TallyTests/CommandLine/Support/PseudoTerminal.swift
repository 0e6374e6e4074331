// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What a program takes for a terminal; the test sits before it.
struct PseudoTerminal {
    // As in Linux's asm-generic/ioctls.h, where they are macros that Swift does not see.
    private static let setLock: UInt = 0x4004_5431
    private static let getNumber: UInt = 0x8004_5430

    private let keyboard: FileHandle
    /// The program's side.
    let input: FileHandle

    init() throws {
        keyboard = try PseudoTerminal.open("/dev/ptmx")
        var lock: Int32 = 0
        var number: Int32 = 0
        guard ioctl(keyboard.fileDescriptor, PseudoTerminal.setLock, &lock) == 0,
            ioctl(keyboard.fileDescriptor, PseudoTerminal.getNumber, &number) == 0
        else { throw HarnessError.system("ioctl") }
        input = try PseudoTerminal.open("/dev/pts/\(number)")
    }

    func type(_ text: String) throws { try keyboard.write(contentsOf: Data(text.utf8)) }

    private static func open(_ path: String) throws -> FileHandle {
        let descriptor = Glibc.open(path, O_RDWR | O_NOCTTY | O_CLOEXEC)
        if descriptor < 0 { throw HarnessError.system("open") }
        return FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }
}
