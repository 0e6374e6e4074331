// SPDX-License-Identifier: Apache-2.0

#if JetStream

import CNATS
import Glibc

/// Takes the place of nats.c's own function of this name, and calls it.
///
/// nats.c before 3.8, such as Debian 12's 3.4, does not end a handshake when a read of the server's answer to CONNECT fails: it repeats the
/// read without a pause, holds the connection's lock, and adds a byte to a buffer each time
/// (https://github.com/nats-io/nats.c/pull/707). A server that accepts connections and then hangs stopped all that Tally does with
/// JetStream in this way. The one failure that ends the loop is that of a closed connection, so any failure is reported as one there.
///
/// nats.c calls this function, since a program's own symbols come before those of its libraries, unless it was linked with `-Bsymbolic`.
/// Only the loop in question passes no pointer for the count.
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
