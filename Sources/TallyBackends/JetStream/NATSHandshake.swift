// SPDX-License-Identifier: Apache-2.0

#if JetStream

import CNATS
import Glibc

/// Replaces nats.c's function of the same name, and calls it.
///
/// nats.c before 3.8 (Debian 12 has 3.4) reads the answer to CONNECT in a loop that ends only when the connection is closed. After a timeout or
/// another error the loop repeats the read without a pause, while it holds the connection's lock, and adds a byte to a buffer each time
/// (https://github.com/nats-io/nats.c/pull/707). A nats-server that hangs after it has accepted a connection therefore blocks every call of
/// that connection. This function reports any error in the loop as a closed connection; only the loop passes no pointer for the count.
///
/// nats.c calls this function because the dynamic linker prefers symbols of the program to those of a library. A libnats that was linked
/// with `-Bsymbolic` calls its own.
@c(natsSock_Read)
package func natsSocketRead(
    _ socket: UnsafeMutableRawPointer?, _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: Int,
    _ count: UnsafeMutablePointer<Int32>?
) -> UInt32 {
    let status = NATSHandshake.read(socket, buffer, capacity, count)
    return status != NATS_OK.rawValue && count == nil ? NATS_CONNECTION_CLOSED.rawValue : status
}

private enum NATSHandshake {
    typealias Read =
        @convention(c) (
            UnsafeMutableRawPointer?, UnsafeMutablePointer<CChar>?, Int, UnsafeMutablePointer<Int32>?
        ) -> UInt32

    /// nats.c's own. `RTLD_NEXT`, a macro that Swift does not import, is -1.
    static let read: Read = {
        guard let symbol = dlsym(UnsafeMutableRawPointer(bitPattern: -1), "natsSock_Read") else {
            preconditionFailure("nats.c calls natsSock_Read and has it")
        }
        return unsafeBitCast(symbol, to: Read.self)
    }()
}

#endif
