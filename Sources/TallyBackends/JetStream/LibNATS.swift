// SPDX-License-Identifier: Apache-2.0

#if JetStream

import CNATS
import Glibc
import Synchronization
import TallyCore

/// What nats.c, or JetStream behind it, says went wrong.
struct NATSFailure: Error, Equatable, Sendable {
    /// JetStream's own number; 0 when it did not say anything.
    let code: UInt32
    let text: String
    let isNotFound: Bool
    /// Nothing came in time.
    let isTimeout: Bool
    /// Nobody took the message: it is certainly nowhere.
    let isCertain: Bool

    init(text: String, isCertain: Bool = false) {
        self.text = text
        self.isCertain = isCertain
        code = 0
        isNotFound = false
        isTimeout = false
    }

    init(_ status: natsStatus, _ code: jsErrCode = jsErrCode(0), _ detail: String? = nil) {
        self.code = code.rawValue
        let last = detail ?? nats_GetLastError(nil).map { String(cString: $0) } ?? ""
        let general = String(cString: natsStatus_GetText(status))
        text = last.isEmpty || last == general ? general : "\(general): \(last)"
        isNotFound = status == NATS_NOT_FOUND
        isTimeout = status == NATS_TIMEOUT
        isCertain = status == NATS_NO_RESPONDERS
    }
}

/// What became of a message.
enum NATSDelivery: Equatable, Sendable {
    case acknowledged(sequence: UInt64)
    case failed(NATSFailure)
}

struct NATSMessage: Sendable {
    /// JetStream leaves out what comes again with the same id.
    let id: String
    let bytes: [UInt8]
}

extension NATSMessage: ChunkCarrier {
    var chunkName: String { id }
    var chunkBytes: [UInt8] { bytes }
}

/// The file that touches nats.c's pointers, with `NATSFetch`.
///
/// One connection for all streams; it looks for another server by itself when its own is gone. Everything here but
/// `largestMessage` may block and belongs on a thread of its own.
final class LibNATS: @unchecked Sendable {
    let connection: OpaquePointer
    let context: OpaquePointer
    private let acknowledgements = Acknowledgements()
    /// What one question to the servers may take, in milliseconds.
    private static let questionTime: Int64 = 2_000

    init(_ url: JetStreamURL) throws(NATSFailure) {
        var options: OpaquePointer?
        try LibNATS.check(natsOptions_Create(&options))
        defer { natsOptions_Destroy(options) }
        try LibNATS.configure(options, url)
        var connection: OpaquePointer?
        try LibNATS.check(natsConnection_Connect(&connection, options))
        guard let connection else { throw NATSFailure(text: "no connection") }
        var settings = jsOptions()
        jsOptions_Init(&settings)
        settings.Wait = LibNATS.questionTime
        settings.PublishAsync.AckHandlerClosure = Unmanaged.passUnretained(acknowledgements).toOpaque()
        settings.PublishAsync.AckHandler = { _, message, acknowledgement, error, closure in
            LibNATS.report(message, acknowledgement, error, closure)
        }
        var context: OpaquePointer?
        let status = natsConnection_JetStream(&context, connection, &settings)
        guard status == NATS_OK, let context else {
            natsConnection_Destroy(connection)
            throw NATSFailure(status)
        }
        self.connection = connection
        self.context = context
    }

    private static func configure(_ options: OpaquePointer?, _ url: JetStreamURL) throws(NATSFailure) {
        let strings = CStrings()
        var servers = url.url.servers.map { strings.keep("\(url.isSecure ? "tls" : "nats")://\($0)") }
        try check(natsOptions_SetServers(options, &servers, Int32(servers.count)))
        try check(natsOptions_SetName(options, "tally"))
        try check(natsOptions_SetTimeout(options, questionTime))
        try check(natsOptions_SetMaxReconnect(options, -1))
        try check(natsOptions_SetReconnectWait(options, 100))
        // A server that hangs keeps its connection: it is given up when it hasn't answered for two seconds.
        try check(natsOptions_SetPingInterval(options, 1_000))
        try check(natsOptions_SetMaxPingsOut(options, 2))
        try check(natsOptions_SetFailRequestsOnDisconnect(options, true))
        if let user = url.url.user, let password = url.url.password {
            try check(natsOptions_SetUserInfo(options, user, password))
        } else if let token = url.url.user {
            try check(natsOptions_SetToken(options, token))
        }
        if let credentials = url.credentials {
            try check(natsOptions_SetUserCredentialsFromFiles(options, credentials, nil))
        }
        if url.isSecure { try check(natsOptions_SetSecure(options, true)) }
        if let authority = url.authority { try check(natsOptions_LoadCATrustedCertificates(options, authority)) }
        if let certificate = url.certificate {
            try check(natsOptions_LoadCertificatesChain(options, certificate, url.key))
        }
    }

    static func check(_ status: natsStatus, _ code: jsErrCode = jsErrCode(0)) throws(NATSFailure) {
        if status != NATS_OK { throw NATSFailure(status, code) }
    }

    /// In bytes, as the server that it is connected to allows.
    var largestMessage: Int { Int(natsConnection_GetMaxPayload(connection)) }

    /// Nothing may be called afterwards.
    func close() {
        natsConnection_Close(connection)
        jsCtx_Destroy(context)
        natsConnection_Destroy(connection)
        acknowledgements.giveUp()
    }

    // MARK: Sending

    /// Sends messages in this order, and tells `done` what became of each, within about so many milliseconds.
    func publish(
        _ messages: [NATSMessage], to subject: String, within limit: Int64,
        done: @escaping @Sendable ([NATSDelivery]) -> Void
    ) {
        let pending = PendingAcknowledgements(count: messages.count, done: done)
        var refusal: NATSFailure?
        for (index, message) in messages.enumerated() {
            if refusal == nil { refusal = publish(message, to: subject, limit, pending, index) }
            // Those behind one that could not be sent would be out of order.
            if let refusal { pending.report(.failed(refusal), of: index) }
        }
    }

    /// - Returns: why it was not sent; nil when it was handed over.
    private func publish(
        _ message: NATSMessage, to subject: String, _ limit: Int64, _ pending: PendingAcknowledgements, _ index: Int
    ) -> NATSFailure? {
        // It would be kept, and sent when nobody waits for it any more.
        guard natsConnection_Status(connection) == NATS_CONN_STATUS_CONNECTED else {
            return NATSFailure(text: "no server is connected", isCertain: true)
        }
        var created: OpaquePointer?
        let status = message.bytes.withUnsafeBytes { bytes in
            natsMsg_Create(
                &created, subject, nil, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(bytes.count))
        }
        guard status == NATS_OK, let created else { return NATSFailure(status) }
        acknowledgements.expect(created, pending, index)
        let id = strdup(message.id)
        defer { free(id) }
        var options = jsPubOptions()
        jsPubOptions_Init(&options)
        options.MsgId = UnsafePointer(id)
        options.MaxWait = limit
        var handedOver: OpaquePointer? = created
        let result = js_PublishMsgAsync(context, &handedOver, &options)
        if result == NATS_OK { return nil }
        _ = acknowledgements.take(created)
        natsMsg_Destroy(handedOver)
        return NATSFailure(result)
    }

    private static func report(
        _ message: OpaquePointer?, _ acknowledgement: UnsafeMutablePointer<jsPubAck>?,
        _ error: UnsafeMutablePointer<jsPubAckErr>?, _ closure: UnsafeMutableRawPointer?
    ) {
        defer { natsMsg_Destroy(message) }
        guard let message, let closure else { return }
        let expected = Unmanaged<Acknowledgements>.fromOpaque(closure).takeUnretainedValue().take(message)
        if let acknowledgement {
            expected?.report(.acknowledged(sequence: acknowledgement.pointee.Sequence))
        } else {
            let detail = error?.pointee.ErrText.map { String(cString: $0) }
            let failure = NATSFailure(
                error?.pointee.Err ?? NATS_ERR, error?.pointee.ErrCode ?? jsErrCode(0), detail ?? "")
            expected?.report(.failed(failure))
        }
    }

    // MARK: Streams

    /// - Parameter listsAbsent: whether the answer lists the messages that were deleted one by one, or that the servers lost.
    /// - Returns: nil when there is none of this name.
    func stream(_ name: String, listsAbsent: Bool = false) throws(NATSFailure) -> JetStreamState? {
        var options = jsOptions()
        jsOptions_Init(&options)
        options.Stream.Info.DeletedDetails = listsAbsent
        var info: UnsafeMutablePointer<jsStreamInfo>?
        var code = jsErrCode(0)
        let status = js_GetStreamInfo(&info, context, name, &options, &code)
        if status == NATS_NOT_FOUND { return nil }
        try LibNATS.check(status, code)
        return try LibNATS.state(info)
    }

    /// - Throws: also when there is one of this name with other settings.
    func makeStream(_ name: String, subject: String, replicas: Int) throws(NATSFailure) -> JetStreamState {
        let strings = CStrings()
        var subjects: [UnsafePointer<CChar>?] = [strings.keep(subject)]
        var configuration = jsStreamConfig()
        jsStreamConfig_Init(&configuration)
        configuration.Name = strings.keep(name)
        configuration.Replicas = Int64(replicas)
        configuration.Storage = js_FileStorage
        // At a limit it is better to refuse than to drop what was not counted yet.
        configuration.Discard = js_DiscardNew
        var info: UnsafeMutablePointer<jsStreamInfo>?
        var code = jsErrCode(0)
        let status = subjects.withUnsafeMutableBufferPointer { subjects in
            configuration.Subjects = subjects.baseAddress
            configuration.SubjectsLen = 1
            return js_AddStream(&info, context, &configuration, nil, &code)
        }
        try LibNATS.check(status, code)
        return try LibNATS.state(info)
    }

    private static func state(_ info: UnsafeMutablePointer<jsStreamInfo>?) throws(NATSFailure) -> JetStreamState {
        guard let info, let settings = info.pointee.Config else { throw NATSFailure(text: "no answer") }
        defer { jsStreamInfo_Destroy(info) }
        let state = info.pointee.State
        return JetStreamState(
            created: info.pointee.Created, first: Int64(state.FirstSeq), last: Int64(state.LastSeq),
            absent: absent(state),
            replicas: Int(settings.pointee.Replicas), isInMemory: settings.pointee.Storage == js_MemoryStorage,
            maximumAge: .nanoseconds(settings.pointee.MaxAge),
            hasLimit: [settings.pointee.MaxMsgs, settings.pointee.MaxBytes, settings.pointee.MaxMsgsPerSubject]
                .contains { $0 > 0 },
            dropsOldest: settings.pointee.Discard == js_DiscardOld,
            largestMessage: settings.pointee.MaxMsgSize > 0 ? Int(settings.pointee.MaxMsgSize) : nil,
            keepsAll: settings.pointee.Retention == js_LimitsPolicy, acknowledges: !settings.pointee.NoAck)
    }

    private static func absent(_ state: jsStreamState) -> [Int64] {
        let deleted = UnsafeBufferPointer(start: state.Deleted, count: Int(state.DeletedLen))
        let lost = state.Lost.map { UnsafeBufferPointer(start: $0.pointee.Msgs, count: Int($0.pointee.MsgsLen)) }
        return Set(Array(deleted) + (lost.map(Array.init) ?? [])).map { Int64(clamping: $0) }.sorted()
    }

    func purge(_ stream: String, before sequence: Int64) throws(NATSFailure) {
        var options = jsOptions()
        jsOptions_Init(&options)
        options.Stream.Purge.Sequence = UInt64(sequence)
        var code = jsErrCode(0)
        try LibNATS.check(js_PurgeStream(context, stream, &options, &code), code)
    }

    /// With all that it holds.
    func removeStream(_ name: String) throws(NATSFailure) {
        var code = jsErrCode(0)
        try LibNATS.check(js_DeleteStream(context, name, nil, &code), code)
    }
}

/// Texts that C structures point to, for as long as this is held.
private final class CStrings {
    private var texts: [UnsafeMutablePointer<CChar>] = []

    func keep(_ text: String) -> UnsafePointer<CChar>? {
        guard let copy = strdup(text) else { return nil }
        texts.append(copy)
        return UnsafePointer(copy)
    }

    deinit { for text in texts { free(text) } }
}

/// Whose message an acknowledgement is for: nats.c gives back the message itself.
private final class Acknowledgements: Sendable {
    struct Expected: Sendable {
        let pending: PendingAcknowledgements
        let index: Int

        func report(_ delivery: NATSDelivery) { pending.report(delivery, of: index) }
    }

    private let expected = Mutex<[UInt: Expected]>([:])

    func expect(_ message: OpaquePointer, _ pending: PendingAcknowledgements, _ index: Int) {
        expected.withLock { $0[UInt(bitPattern: message)] = Expected(pending: pending, index: index) }
    }

    func take(_ message: OpaquePointer) -> Expected? {
        expected.withLock { $0.removeValue(forKey: UInt(bitPattern: message)) }
    }

    /// Nothing more will be reported.
    func giveUp() {
        let rest = expected.withLock { expected in
            defer { expected = [:] }
            return Array(expected.values)
        }
        for one in rest { one.report(.failed(NATSFailure(text: "the connection was closed"))) }
    }
}

/// What became of the messages of one call of `publish` so far.
private final class PendingAcknowledgements: Sendable {
    private struct State {
        var deliveries: [NATSDelivery?]
        var missing: Int
    }

    private let state: Mutex<State>
    private let done: @Sendable ([NATSDelivery]) -> Void

    init(count: Int, done: @escaping @Sendable ([NATSDelivery]) -> Void) {
        state = Mutex(State(deliveries: Array(repeating: nil, count: count), missing: count))
        self.done = done
    }

    func report(_ delivery: NATSDelivery, of index: Int) {
        let all = state.withLock { state -> [NATSDelivery]? in
            guard state.deliveries[index] == nil else { return nil }
            state.deliveries[index] = delivery
            state.missing -= 1
            return state.missing == 0 ? state.deliveries.compactMap { $0 } : nil
        }
        all.map(done)
    }
}

#endif
