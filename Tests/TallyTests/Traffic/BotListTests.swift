// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import TallyServer

@Suite("Who says of himself that he is a program")
struct BotListTests {
    private func isBot(_ userAgent: String, _ list: BotList = .kept) -> Bool {
        Array(userAgent.utf8).withUnsafeBytes { list.contains($0) }
    }

    /// As the makers' own pages have them.
    private static let bots = [
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; Googlebot/2.1; +http://www.google.com/bot.html) "
            + "Chrome/131.0.0.0 Safari/537.36",
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm) "
            + "Chrome/116.0.1938.76 Safari/537.36",
        "Mozilla/5.0 (compatible; YandexImages/3.0; +http://yandex.com/bots)", "Mediapartners-Google",
        "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", "Twitterbot/1.0",
        "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", "TelegramBot (like TwitterBot)",
        "Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)",
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible; ChatGPT-User/1.0; +https://openai.com/bot",
        "Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)", "kube-probe/1.31",
        "ELB-HealthChecker/2.0", "Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/131.0.0.0 Safari/537.36",
        "CCBot/2.0 (https://commoncrawl.org/faq/)", "GOOGLEBOT",
    ]

    private static let people = [
        "", "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 "
            + "Mobile/15E148 Safari/604.1",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 "
            + "YaBrowser/24.6.0.0 Safari/537.36",
        "Mozilla/5.0 (Linux; Android 13; CUBOT P60) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Mobile "
            + "Safari/537.36",
        "Mozilla/5.0 (Linux; Android 12; CUBOT_X18_Plus; wv) Chrome/120.0 [FB_IAB/FB4A;FBAV/480.0.0.54.88;]",
        // The user's own servers and scripts.
        "curl/8.5.0", "Wget/1.21.3", "python-requests/2.32.3", "Go-http-client/2.0", "okhttp/4.12.0",
        "Apache-HttpClient/4.5.14 (Java/17.0.9)", "axios/1.7.9", "PostmanRuntime/7.43.0", "shop-backend/7",
        // A word that only begins like one of the list.
        "Botanica/1.0", "Bottle/0.13",
    ]

    @Test(arguments: bots) func `programs`(userAgent: String) { #expect(isBot(userAgent)) }

    @Test(arguments: people) func `people, and servers that count for them`(userAgent: String) {
        #expect(!isBot(userAgent))
    }

    @Test func `an exception covers no more than itself`() {
        #expect(isBot("Mozilla/5.0 (Linux; Android 13; CUBOT P60) (compatible; Googlebot/2.1)"))
        let list = BotList("bot$\tx\n!cubot\tx\n# bottle\nbeetle\tx\n")
        for text in ["Bot", "a-bot", "BOT1", "bot-tle", "BEETLES"] { #expect(isBot(text, list), "\(text)") }
        for text in ["bottle", "cubot", "cubots", "bo", "t"] { #expect(!isBot(text, list), "\(text)") }
    }

    @Test func `each line of the kept list has a source`() {
        let lines = String(decoding: PackageResources.bots_txt, as: UTF8.self).split(separator: "\n")
        #expect(lines[0].contains(/Last kept on 20\d\d-\d\d-\d\d/))
        for line in lines where !line.hasPrefix("#") {
            let parts = line.split(separator: "\t")
            #expect(parts.count == 2 && !parts[0].isEmpty && parts[1].count > 10, "\(line)")
            #expect(parts[0] == parts[0].lowercased(), "\(line)")
        }
    }
}
