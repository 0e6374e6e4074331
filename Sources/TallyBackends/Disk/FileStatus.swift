// SPDX-License-Identifier: Apache-2.0

import Glibc

/// What the system knows of a file.
package struct FileStatus: Equatable, Sendable {
    /// In bytes; 0 for what has no size, such as a pipe.
    package let size: Int64
    package let isRegular: Bool
    package let isDirectory: Bool

    /// - Returns: nil, with the reason in `errno`, when the system does not tell.
    package init?(descriptor: Int32) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        self.init(status)
    }

    /// - Returns: nil, with the reason in `errno`, when the system does not tell.
    package init?(path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        self.init(status)
    }

    private init(_ status: stat) {
        size = Int64(status.st_size)
        isRegular = status.st_mode & S_IFMT == S_IFREG
        isDirectory = status.st_mode & S_IFMT == S_IFDIR
    }
}
