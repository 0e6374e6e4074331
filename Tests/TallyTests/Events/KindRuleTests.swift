// SPDX-License-Identifier: Apache-2.0

import TallyCore
import Testing

@Suite("Which kinds are counted") struct KindRuleTests {
    private let view = Kind("view")!
    private let purchase = Kind("purchase")!

    @Test("click and impression by every rule, and they take no room")
    func always() throws {
        for rule in [KindRule.any, .first(2), .listed([view])] {
            #expect(try !rule.admit(.click, beside: []))
            #expect(try !rule.admit(.impression, beside: [view, purchase]))
            #expect(rule.hasRoom(for: [.click, .impression]))
        }
    }

    @Test("as many as may be, in the order in which they come")
    func first() throws {
        let rule = KindRule.first(3)
        #expect(try rule.admit(view, beside: []))
        #expect(try rule.admit(view, beside: [.click]))
        #expect(try !rule.admit(view, beside: [view]))
        #expect(throws: KindRule.Refusal.tooMany(limit: 3)) { try rule.admit(purchase, beside: [view]) }
        #expect(rule.hasRoom(for: [view]) && !rule.hasRoom(for: [view, purchase]))
    }

    @Test("those of a list, whatever came before")
    func listed() throws {
        let rule = KindRule.listed([view])
        #expect(try !rule.admit(view, beside: []))
        #expect(throws: KindRule.Refusal.notListed(allowed: [.click, .impression, view])) {
            try rule.admit(purchase, beside: [purchase])
        }
        #expect(rule.hasRoom(for: Set((0..<1_000).map { Kind("kind_\($0)")! })))
    }
}
