// SPDX-License-Identifier: Apache-2.0

package import Hummingbird
import NIOCore

/// What belongs to a request beside the request: the parameters of its path, the logger, and its connection.
package struct ServerContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    let channel: any Channel

    package init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }
}
