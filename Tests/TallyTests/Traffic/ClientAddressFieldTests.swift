// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing

@testable import TallyServer

struct ClientAddressFieldTests {
    private func sender(_ name: String, _ value: String, peer: String = "10.0.0.1") throws -> String {
        let proxies = try #require(TrustedProxies("10.0.0.0/8,fd00::/8"))
        let field = try #require(ClientAddressField(name))
        return proxies.sender(try SocketAddress(ipAddress: peer, port: 1), addresses: field.addresses(in: value))
    }

    private static let proxy = "a.0.0.1"
    private static let client = "c6.33.64.7"

    @Test(arguments: [
        ("198.51.100.7", client), (" 198.51.100.7 ", client), ("198.51.100.7:4711", client),
        ("::ffff:198.51.100.7", client),
        ("2001:db8:1:2::3", "20.1.d.b8.0.1.0.2"), ("[2001:db8:1:2::3]:1", "20.1.d.b8.0.1.0.2"),
        ("", proxy), ("unknown", proxy), ("198.51.100.7,198.51.100.8", proxy), ("198.51.100", proxy), ("é", proxy),
    ])
    func `a field of one address has one address`(value: String, expected: String) throws {
        #expect(try sender("X-Real-IP", value) == expected)
        #expect(try sender("cf-connecting-ip", value) == expected)
        #expect(try sender("X-Real-IP", value, peer: "192.0.2.1") == "c0.0.2.1", "only a trusted proxy is believed")
    }

    @Test(arguments: [
        ("for=198.51.100.7", client), ("For=198.51.100.7;proto=https;by=203.0.113.43", client),
        ("proto=http; by=10.0.0.9 ;FOR = \"198.51.100.7:80\"", client), ("for=203.0.113.9, for=198.51.100.7", client),
        ("for=203.0.113.9,for=198.51.100.7, for=10.0.0.2,for=\"10.0.0.3:1\"", client),
        ("for=\"[2001:db8:1:2::3]:4711\"", "20.1.d.b8.0.1.0.2"), ("for=\"[2001:db8:1:2::3]\"", "20.1.d.b8.0.1.0.2"),
        ("for=\"[2001:db8:1:2::3]:_port\"", "20.1.d.b8.0.1.0.2"), ("for=\"198.51.\\100.7\"", client),
        // Identifiers that hide the address, and elements without one: it comes from behind the last proxy that is known.
        ("for=_hidden", proxy), ("for=unknown", proxy), ("for=198.51.100.7, for=_gazonk", proxy),
        ("proto=https", proxy),
        ("for=198.51.100.7, proto=https", proxy), ("for=198.51.100.7, for=_x, for=10.0.0.2", "a.0.0.2"),
        // Malformed.
        ("", proxy), (",,", proxy), ("for", proxy), ("for=", proxy), ("for=\"\"", proxy), ("for=\"198.51.100.7", proxy),
        ("for=198.51.100.7\"", proxy), ("for=198.51.100.7;for=198.51.100.8", proxy), ("for=\"198.51.100.7\"x", proxy),
        ("for=\"a\"b\"", proxy), ("for=\"198.51.100.7\\\"", proxy), ("198.51.100.7", proxy),
        ("for:198.51.100.7", proxy),
        // What a client wrote hides nothing that the proxy appended.
        ("for=\"x, for=198.51.100.7", client), ("\"\"\", for=198.51.100.7", client),
        ("for=\"a\\\", for=198.51.100.7", client),
        ("for=1.2.3.4;x=\",\", for=198.51.100.7", client), ("for=\"1.2.3.4, 5.6.7.8\", for=198.51.100.7", client),
        ("for=198.51.100.7, ,", client),
    ])
    func `Forwarded is read from its end`(value: String, expected: String) throws {
        #expect(try sender("Forwarded", value) == expected)
    }

    @Test func `a separator within quotation marks separates nothing`() {
        let value = "for=\"a,b;c\\\"d\\\\\";x=1, for=e"
        #expect(ForwardedValue.nodes(in: value) == ["a,b;c\"d\\", "e"])
    }

    @Test func `time is linear in the length, whatever stands there`() {
        let clock = ContinuousClock()
        for unit in ["\\", "\"", "\\\"", ",", ";", "for=", "for=\"\\\\\","] {
            let value = String(repeating: unit, count: 200_000 / unit.utf8.count)
            let time = clock.measure { _ = ForwardedValue.nodes(in: value) }
            #expect(time < .seconds(10), "\(unit): a second look at each byte would take minutes")
        }
    }

    @Test(arguments: [
        "", "X Real", "X-Real-IP:", "é", "Host", "connection", "USER-AGENT", "Transfer-Encoding", "content-length",
        ":path",
        "Origin", String(repeating: "a", count: 65),
    ])
    func `what is no name, or has another meaning, is refused`(name: String) {
        #expect(ClientAddressField(name) == nil)
    }

    @Test func `names are compared whatever their case`() throws {
        #expect(try #require(ClientAddressField("x-FORWARDED-for")).lowercaseName == HotRequest.forwardedFor)
        #expect(ClientAddressField.forwardedFor.lowercaseName == HotRequest.forwardedFor)
        #expect(try #require(ClientAddressField("X-Real-IP")).lowercaseName == Array("x-real-ip".utf8))
    }
}
