// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPTypes
import TallyCore
import Testing

@testable import TallyServer

struct CrawlerListTests {
    private func isCrawler(_ userAgent: String) -> Bool {
        Array(userAgent.utf8).withUnsafeBytes { CrawlerList.kept.contains($0) }
    }

    /// As the list itself has them.
    private static let examples: [String] = {
        let file = SourceFile.packageRoot.appending(path: "Tests/TallyTests/Traffic/crawler-examples.txt")
        let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map(String.init)
    }()

    @Test func `every example of the list is a crawler`() {
        #expect(Self.examples.count == 2_033)
        for example in Self.examples { #expect(isCrawler(example), "\(example)") }
    }

    @Test(arguments: [
        "WhatsApp/2.23.20.0 A", "Mastodon/4.3 (http.rb/5.1; +https://m.example/)", "WhatsApp/2.24.1.84 i",
        "http.rb/5.2.0 (Mastodon/4.3.2; +https://mastodon.example/) Bot", "Friendica 'Yellow Archangel' 2024.12",
        "TelegramBot (like TwitterBot)", "Iframely/1.3.1 (+https://iframely.com/docs/about)",
        "Scrapy/2.12 (+https://scrapy.org)",
    ])
    func `previews of links`(userAgent: String) { #expect(isCrawler(userAgent)) }

    @Test(arguments: [
        "",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15",
        "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
        "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile "
            + "Safari/537.36",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 "
            + "[FBAN/FBIOS;FBAV/512.0.0.0;FBDV/iPhone15,2;FBSN/iOS;FBSV/18.5]",
        "Mozilla/5.0 (Linux; Android 15; CPH2557 Build/AP3A.240617.008; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 "
            + "Chrome/142.0.7444.142 Mobile Safari/537.36 Instagram 400.0.0.0",
        "Mozilla/5.0 (Linux; Android 16; Pixel 10 Pro XL; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 "
            + "Chrome/146.0.7680.174 Mobile Safari/537.36 MetaIAB Facebook",
        "Mozilla/5.0 (Linux; Android 9; KFTRWI) AppleWebKit/537.36 (KHTML, like Gecko) Silk/142.1 like Chrome/142.0.0.0 "
            + "Safari/537.36",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 "
            + "Snapchat/13.0.0.0 (like Safari/8619)",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Slack/4.47 Chrome/140.0.0.0 "
            + "Electron/38.0 Safari/537.36",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Notion/4.0 Chrome/140.0.0.0 "
            + "Electron/38.0 Safari/537.36",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Viber/25 QtWebEngine/6 Chrome/118 "
            + "Safari/537.36",
        "Mozilla/5.0 (Windows; U; Windows NT 10.0; en-US; Valve Steam GameOverlay/1760000000) AppleWebKit/537.36 "
            + "(KHTML, like Gecko) Chrome/126.0.6478.183 Safari/537.36",
        "Mozilla/5.0 (Linux; Android 13; CUBOT P60) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
        "Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.2; Trident/6.0)", "Amazon CloudFront",
        // Servers and scripts that count for people.
        "curl/8.5.0", "Wget/1.21.3", "python-requests/2.32.3", "Go-http-client/2.0", "okhttp/4.12.0", "axios/1.7.9",
        "Apache-HttpClient/4.5.14 (Java/17.0.9)", "GuzzleHttp/7", "node-fetch/1.0",
    ])
    func `people, and servers that count for them`(userAgent: String) { #expect(!isCrawler(userAgent)) }

    @Test func `the list says where it is from, and under which licence`() {
        let text = String(decoding: PackageResources.crawlers_txt, as: UTF8.self)
        #expect(text.contains(/From crawler-user-agents \d+\.\d+\.\d+ of 20\d\d-\d\d-\d\d, https:/))
        #expect(text.contains("The MIT License (MIT)\n#\n# Copyright (c) 2017 Martin Monperrus"))
        let lines = text.split(separator: "\n").filter { !$0.hasPrefix("#") }
        #expect(
            text.hasPrefix(
                "# What crawlers, monitors and previews of links write into their User-Agent: \(lines.count) texts."))
        for line in lines {
            let parts = line.split(separator: "\t")
            #expect(parts.count <= 2 && parts[0].utf8.count >= 3, "\(line)")
            #expect(parts[0].utf8.allSatisfy { (0x20...0x7E).contains($0) }, "\(line)")
        }
    }

    @Test func `the table takes less than 4 MiB`() { #expect(CrawlerList.kept.byteCount < 4 << 20) }

    @Test func `a long text takes one step for each byte`() {
        // The beginning of a text again and again: a search that began anew at each byte would look at it 25 times.
        let hostile = Array(repeating: Array("Google-Site-Verificatio".utf8), count: 40_000).flatMap { $0 }
        let time = ContinuousClock().measure { _ = hostile.withUnsafeBytes { CrawlerList.kept.contains($0) } }
        #expect(time < .seconds(5), "a megabyte")
    }

    @Test(arguments: ["WhatsApp/2.23.20.0 A", "Mastodon/4.3 (http.rb/5.1; +https://m.example/)"])
    func `their events are invalid`(userAgent: String) async throws {
        let test = HTTPTest()
        try await test.send(.get, "/v1/pixel/1", headers: [.userAgent: userAgent])
        let answer = try await test.get("/v1/totals?traffic=all").text
        #expect(answer.contains(#"{"reason":"bot","v":1}"#))
    }
}
