// SPDX-License-Identifier: Apache-2.0

import NIOSSL

/// What is wrong with a connection over TLS, and what a person can do. The library's own words say where in its sources it is.
enum ClickHouseTLS {
    static func reason(_ error: any Error, at url: ClickHouseURL) -> String {
        let text = "\(error)"
        switch error {
        case let error as NIOSSLExtraError where error == .failedToValidateHostname:
            return "its certificate is not for \(url.host)"
        case NIOSSLError.unableToValidateCertificate: return untrusted(url)
        case NIOSSLError.failedToLoadCertificate, NIOSSLError.noSuchFilesystemObject:
            return "no certificates can be read from \(url.certificateAuthority ?? "the system's files")"
        case _ where text.contains("CERTIFICATE_VERIFY_FAILED"): return untrusted(url)
        case _ where text.contains("WRONG_VERSION_NUMBER"):
            return "it does not speak TLS; clickhouse:// is without"
        default:
            // Such as `handshakeFailed(NIOSSL.BoringSSLError.sslError([Error: 268435581 error:1000007d:SSL routines:…`
            return "TLS failed: \(text.prefix(200))"
        }
    }

    private static func untrusted(_ url: ClickHouseURL) -> String {
        let trusted = url.certificateAuthority ?? "this system; ?ca=FILE names other roots"
        return "its certificate is signed by nobody who is trusted by \(trusted)"
    }
}
