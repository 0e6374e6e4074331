// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing

@testable import TallyServer

@Suite("Who sent a request")
struct TrustedProxiesTests {
    private func sender(_ proxies: String?, _ peer: String, _ forwarded: String) throws -> String {
        let trusted = try proxies.map { try #require(TrustedProxies($0)) } ?? .none
        let addresses = ClientAddressField.forwardedFor.addresses(in: forwarded)
        return trusted.sender(try SocketAddress(ipAddress: peer, port: 1), addresses: addresses)
    }

    @Test func `is the peer, unless it is a proxy that is trusted`() throws {
        #expect(try sender(nil, "192.0.2.1", "198.51.100.7") == "c0.0.2.1")
        #expect(try sender("10.0.0.0/8", "192.0.2.1", "198.51.100.7") == "c0.0.2.1")
        #expect(try sender("10.0.0.0/8", "10.1.2.3", "198.51.100.7") == "c6.33.64.7")
        #expect(try sender("10.0.0.0/8", "10.1.2.3", "") == "a.1.2.3")
        #expect(TrustedProxies.none.sender(nil, addresses: []) == "")
    }

    @Test func `what stands left of the first that is not trusted, anybody may have written`() throws {
        let chain = "203.0.113.9, 198.51.100.7, 10.0.0.2"
        #expect(try sender("10.0.0.0/8", "10.0.0.1", chain) == "c6.33.64.7")
        #expect(try sender("10.0.0.1", "10.0.0.1", chain) == "a.0.0.2")
        #expect(try sender("10.0.0.0/8", "10.0.0.1", "203.0.113.9, nonsense") == "a.0.0.1")
    }

    @Test func `ports and brackets are left out, and of IPv6 the network counts`() throws {
        #expect(try sender("127.0.0.1", "127.0.0.1", "198.51.100.7:4711") == "c6.33.64.7")
        let one = try sender("127.0.0.1", "127.0.0.1", "[2001:db8:1:2::3]:4711")
        #expect(try one == sender(nil, "2001:db8:1:2:ffff::9", ""))
        #expect(try one != sender(nil, "2001:db8:1:3::3", ""))
        #expect(try sender(nil, "::ffff:192.0.2.1", "") == sender(nil, "192.0.2.1", ""))
        #expect(try sender("::1,fd00::/8", "fd12::1", "198.51.100.7") == "c6.33.64.7")
    }

    @Test(arguments: ["", "x", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0.1,", "fd00::/129", "10.0.0", "/8"])
    func `what is no network is refused`(text: String) { #expect(TrustedProxies(text) == nil) }

    @Test func `a network ends within a byte, too`() throws {
        #expect(try sender("172.16.0.0/12", "172.31.255.1", "198.51.100.7") == "c6.33.64.7")
        #expect(try sender("172.16.0.0/12", "172.32.0.1", "198.51.100.7") == "ac.20.0.1")
        #expect(try sender("0.0.0.0/0", "8.8.8.8", "1.1.1.1, 198.51.100.7") == "1.1.1.1")
    }
}
