// SPDX-License-Identifier: Apache-2.0

import Glibc

enum DescriptorWriter {
    /// Writes all the bytes.
    /// - Returns: the error number, or nil when all is written.
    static func write(_ bytes: [UInt8], to descriptor: Int32) -> Int32? {
        bytes.withUnsafeBytes { buffer in
            var written = 0
            while written < buffer.count {
                let rest = UnsafeRawBufferPointer(rebasing: buffer[written...])
                let result = Glibc.write(descriptor, rest.baseAddress, rest.count)
                if result >= 0 {
                    written += result
                } else if errno == EAGAIN {
                    var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    poll(&request, 1, -1)
                } else if errno != EINTR {
                    return errno
                }
            }
            return nil
        }
    }
}
