// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird
import NIOCore
import TallyCore

/// The other end of the connection whose request is being answered.
enum Peer {
    @TaskLocal static var address: SocketAddress?
}

extension TrafficJudge {
    /// Counts one event of whoever sent the request.
    func judge(_ request: Request, _ banner: BannerID, on day: Day) -> Judgement {
        guard looksAtUserAgents else { return Judgement() }
        let now = NIODeadline.now()
        let userAgent = Array(request.headers[values: .userAgent].joined(separator: ",").utf8)
        let forwarded = Array(request.headers[values: addressField.name].joined(separator: ",").utf8)
        let verdict = userAgent.withUnsafeBytes { userAgent in
            forwarded.withUnsafeBytes { forwarded in
                self.verdict(Sender(peer: Peer.address, userAgent: userAgent, forwarded: forwarded), on: day)
            }
        }
        return judge(verdict, banner, at: now)
    }
}
