// SPDX-License-Identifier: Apache-2.0

#if JetStream

import CNATS
import TallyCore

/// Reads a stream from a sequence on, through a pull consumer. For one thread at a time.
///
/// It pulls by itself, since nats.c has two faults here, and Debian 12 has a version with both (3.4):
/// `natsSubscription_FetchRequest` writes past the end of its list when answers of an earlier pull are waiting
/// (nats-io/nats.c#749), and a message that arrives for a subscription which another thread destroys makes nats.c use freed
/// memory (nats-io/nats.c#637). So one subscription lives as long as the connection, whatever consumer sends to it, and
/// messages are taken from it one by one.
final class NATSFetch {
    typealias Item = LogReading<NATSMessage>.Item

    private let library: LibNATS
    private let stream: String
    /// Answers come to subjects that begin so: each pull has one of its own.
    private var inbox = ""
    private var subscription: OpaquePointer?
    /// The name that the servers gave to the consumer.
    private var consumer: String?
    private var pulls = 0

    init(library: LibNATS, stream: String) {
        self.library = library
        self.stream = stream
    }

    deinit { natsSubscription_Destroy(subscription) }

    /// The servers keep the place for a minute after the last reading.
    func begin(at sequence: Int64) throws(NATSFailure) {
        end()
        try subscribe()
        var settings = jsConsumerConfig()
        jsConsumerConfig_Init(&settings)
        settings.AckPolicy = js_AckNone
        settings.DeliverPolicy = js_DeliverByStartSequence
        settings.OptStartSeq = UInt64(sequence)
        settings.Replicas = 1
        settings.MemoryStorage = true
        settings.InactiveThreshold = 60_000_000_000
        var info: UnsafeMutablePointer<jsConsumerInfo>?
        var code = jsErrCode(0)
        try LibNATS.check(js_AddConsumer(&info, library.context, stream, &settings, nil, &code), code)
        defer { jsConsumerInfo_Destroy(info) }
        guard let name = info?.pointee.Name else { throw NATSFailure(text: "a consumer has no name") }
        consumer = String(cString: name)
    }

    private func subscribe() throws(NATSFailure) {
        if natsSubscription_IsValid(subscription) { return }
        natsSubscription_Destroy(subscription)
        subscription = nil
        var inbox: UnsafeMutablePointer<CChar>?
        try LibNATS.check(natsInbox_Create(&inbox))
        defer { natsInbox_Destroy(inbox) }
        guard let inbox else { throw NATSFailure(text: "no inbox") }
        self.inbox = String(cString: inbox)
        try LibNATS.check(natsConnection_SubscribeSync(&subscription, library.connection, "\(self.inbox).*"))
    }

    func end() {
        guard let consumer else { return }
        self.consumer = nil
        // Whatever comes of it: the servers forget it by themselves.
        var code = jsErrCode(0)
        _ = js_DeleteConsumer(library.context, stream, consumer, nil, &code)
    }

    /// Takes what an earlier pull has brought, or else pulls: waits for a first message, and takes no more than come with it.
    /// - Parameters:
    ///   - maximumBytes: nil for any number; a first message that is larger does not come.
    ///   - limit: how long to wait, in milliseconds.
    /// - Returns: at least one message.
    func next(messages: Int, maximumBytes: Int?, within limit: Int64) throws(NATSFailure) -> [Item] {
        guard let subscription, let consumer else { throw NATSFailure(text: "nothing is being read") }
        var taking = Taking(
            subscription: subscription, consumer: consumer, messages: messages, bytes: maximumBytes ?? .max)
        _ = taking.take(within: 0, of: nil)
        if !taking.items.isEmpty { return taking.items }
        let reply = try pull(messages, maximumBytes, limit, from: consumer)
        if let failure = taking.take(within: limit, of: reply), taking.items.isEmpty { throw failure }
        return taking.items
    }

    /// - Returns: the subject that the answers come to.
    private func pull(
        _ messages: Int, _ maximumBytes: Int?, _ limit: Int64, from consumer: String
    ) throws(NATSFailure) -> String {
        pulls += 1
        let reply = "\(inbox).\(pulls)"
        // A little earlier than the waiting ends, so that the servers' last word still comes. Without `no_wait` they would
        // keep what has come until the batch is full.
        let expires = max(limit - 10, 1) * 1_000_000
        let bytes = maximumBytes.map { ",\"max_bytes\":\($0)" } ?? ""
        let request = "{\"batch\":\(messages),\"expires\":\(expires),\"no_wait\":true\(bytes)}"
        try LibNATS.check(
            natsConnection_PublishRequest(
                library.connection, "$JS.API.CONSUMER.MSG.NEXT.\(stream).\(consumer)", reply, request,
                Int32(request.utf8.count)))
        return reply
    }
}

/// Takes messages of one consumer from a subscription.
private struct Taking {
    let subscription: OpaquePointer
    let consumer: String
    /// How many to take at most.
    let messages: Int
    /// How many bytes may still be taken; the last message may have more.
    var bytes: Int
    var items: [NATSFetch.Item] = []

    /// - Parameters:
    ///   - limit: how long to wait for all of them, in milliseconds; 0 takes what is here.
    ///   - pull: the subject of the pull whose end ends the taking; nil when no pull does.
    /// - Returns: why there are no more; nil when as many were taken as may be.
    mutating func take(within limit: Int64, of pull: String?) -> NATSFailure? {
        let deadline = ContinuousClock.now + .milliseconds(limit)
        while items.count < messages, bytes > 0 {
            let left = max((deadline - .now).milliseconds, 0)
            var message: OpaquePointer?
            let status = natsSubscription_NextMsg(&message, subscription, left)
            guard status == NATS_OK, let message else { return NATSFailure(status) }
            defer { natsMsg_Destroy(message) }
            do throws(NATSFailure) {
                if let end = Taking.status(of: message) {
                    guard String(cString: natsMsg_GetSubject(message)) == pull else { continue }
                    return end
                }
                try take(message)
            } catch {
                return error
            }
        }
        return nil
    }

    private mutating func take(_ message: OpaquePointer) throws(NATSFailure) {
        var data: UnsafeMutablePointer<jsMsgMetaData>?
        try LibNATS.check(natsMsg_GetMetaData(&data, message))
        defer { jsMsgMetaData_Destroy(data) }
        // What an earlier consumer sent late is out of order.
        guard let data, let name = data.pointee.Consumer, String(cString: name) == consumer else { return }
        var id: UnsafePointer<CChar>?
        _ = natsMsgHeader_Get(message, "Nats-Msg-Id", &id)
        let body = UnsafeRawBufferPointer(
            start: natsMsg_GetData(message), count: Int(natsMsg_GetDataLength(message)))
        bytes -= body.count
        items.append(
            (
                LogOffset(Int64(data.pointee.Sequence.Stream)),
                NATSMessage(id: id.map { String(cString: $0) } ?? "", bytes: [UInt8](body))
            ))
    }

    /// - Returns: nil when it is a message of the stream.
    private static func status(of message: OpaquePointer) -> NATSFailure? {
        var code: UnsafePointer<CChar>?
        guard natsMsg_GetDataLength(message) == 0, natsMsgHeader_Get(message, "Status", &code) == NATS_OK, let code
        else { return nil }
        var text: UnsafePointer<CChar>?
        _ = natsMsgHeader_Get(message, "Description", &text)
        let status = String(cString: code)
        let description = "\(status) \(text.map { String(cString: $0) } ?? "")"
        switch status {
        case "404": return NATSFailure(NATS_NOT_FOUND, jsErrCode(0), description)
        case "408": return NATSFailure(NATS_TIMEOUT, jsErrCode(0), description)
        default: return NATSFailure(NATS_ERR, jsErrCode(0), description)
        }
    }
}

#endif
