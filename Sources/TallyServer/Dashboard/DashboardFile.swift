// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import NIOCore

/// A file that is built into the program.
struct DashboardFile: Sendable {
    let bytes: [UInt8]
    let type: String
    let entityTag: String

    private init(_ text: String, type: String) {
        bytes = Array(text.utf8)
        self.type = type
        entityTag = "\"\(DashboardFile.fingerprint(of: bytes))\""
    }

    static let page = DashboardFile(
        DashboardText.squeezed(String(decoding: PackageResources.index_html, as: UTF8.self)),
        type: "text/html; charset=utf-8")
    static let script = javaScript(PackageResources.tally_js)
    static let parts = [
        "app.js": javaScript(PackageResources.app_js),
        "banner.js": javaScript(PackageResources.banner_js),
        "banners.js": javaScript(PackageResources.banners_js),
        "chart.js": javaScript(PackageResources.chart_js),
        "data.js": javaScript(PackageResources.data_js),
        "en.js": javaScript(PackageResources.en_js),
        "overview.js": javaScript(PackageResources.overview_js),
        "ru.js": javaScript(PackageResources.ru_js),
        "system.js": javaScript(PackageResources.system_js),
        "words.js": javaScript(PackageResources.words_js),
        "style.css": DashboardFile(
            DashboardText.squeezedStyle(String(decoding: PackageResources.style_css, as: UTF8.self)),
            type: "text/css; charset=utf-8"),
    ]

    private static func javaScript(_ bytes: [UInt8]) -> DashboardFile {
        DashboardFile(
            DashboardText.squeezedScript(String(decoding: bytes, as: UTF8.self)), type: "text/javascript; charset=utf-8"
        )
    }

    /// Nothing but what this server sends may run, be shown or be asked; no other page may frame it.
    private static let policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

    func response(to request: Request) -> Response {
        let headers: HTTPFields = [
            .contentType: type, .eTag: entityTag, .cacheControl: "no-cache", .contentSecurityPolicy: Self.policy,
            .xContentTypeOptions: "nosniff", .referrerPolicy: "no-referrer",
        ]
        let known = request.headers[values: .ifNoneMatch].joined(separator: ",")
        if known.contains(entityTag) { return Response(status: .notModified, headers: headers) }
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    /// FNV-1a of 64 bits.
    private static func fingerprint(of bytes: [UInt8]) -> String {
        let hash = bytes.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
        return String(hash, radix: 16)
    }
}

extension HTTPField.Name {
    fileprivate static let referrerPolicy = HTTPField.Name("Referrer-Policy")!  // A constant that is a valid name.
}
