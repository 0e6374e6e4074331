// SPDX-License-Identifier: Apache-2.0

#if PostgreSQL

import CPostgreSQL
import Glibc

/// The one file that touches libpq's pointers. Everything here blocks, and belongs on a thread of its own; nothing blocks
/// for longer than its limit.
enum LibPQ {
    /// The parameters that stand in a URL; nil when libpq can't read it.
    static func options(of url: String) -> [String: String]? {
        guard let options = PQconninfoParse(url, nil) else { return nil }
        defer { PQconninfoFree(options) }
        var found: [String: String] = [:]
        var next = options
        while let keyword = next.pointee.keyword {
            if let value = next.pointee.val { found[String(cString: keyword)] = String(cString: value) }
            next += 1
        }
        return found
    }
}

/// One connection.
final class PostgreSQLConnection {
    /// How long connecting may take, unless the URL has `connect_timeout`; for each of its hosts.
    private static let connectSeconds = "5"

    private let pointer: OpaquePointer
    private let limit: Duration
    /// By their SQL.
    private var statements: [String: String] = [:]

    /// - Parameter limit: of the time that one statement may take.
    init(url: String, limit: Duration) throws(PostgreSQLFailure) {
        // What stands before the URL is overridden by it, and what stands behind overrides it.
        let parameters = [
            ("connect_timeout", PostgreSQLConnection.connectSeconds), ("fallback_application_name", "tally"),
            ("dbname", url), ("client_encoding", "UTF8"),
        ]
        let texts = parameters.map { (strdup($0.0), strdup($0.1)) }
        defer {
            for (name, value) in texts {
                free(name)
                free(value)
            }
        }
        let names = texts.map { UnsafePointer($0.0) } + [nil]
        let values = texts.map { UnsafePointer($0.1) } + [nil]
        guard let pointer = PQconnectdbParams(names, values, 1) else { throw .disconnected("out of memory") }
        guard PQstatus(pointer) == CONNECTION_OK, PQsetnonblocking(pointer, 1) == 0 else {
            let why = PostgreSQLConnection.error(of: pointer)
            PQfinish(pointer)
            throw .disconnected(why)
        }
        self.pointer = pointer
        self.limit = limit
    }

    deinit { PQfinish(pointer) }

    /// Between two statements, and in no transaction.
    var isUsable: Bool { PQstatus(pointer) == CONNECTION_OK && PQtransactionStatus(pointer) == PQTRANS_IDLE }

    /// Runs one statement, prepared when it comes for the first time; its result is binary.
    func run(
        _ sql: String, _ parameters: [PostgreSQLParameter] = []
    ) throws(PostgreSQLFailure) -> PostgreSQLResult {
        let deadline = ContinuousClock.now + limit
        let name = try prepare(sql, parameters, deadline: deadline)
        try send(name, parameters)
        return try result(deadline: deadline)
    }

    /// Runs statements that have no parameters, one after the other, in one transaction unless they make their own.
    func run(script: String) throws(PostgreSQLFailure) {
        let deadline = ContinuousClock.now + limit
        try check(PQsendQuery(pointer, script))
        _ = try result(deadline: deadline)
    }

    /// Runs `body` in a transaction.
    func transaction<Value>(_ body: () throws(PostgreSQLFailure) -> Value) throws(PostgreSQLFailure) -> Value {
        _ = try run("BEGIN")
        do throws(PostgreSQLFailure) {
            let value = try body()
            _ = try run("COMMIT")
            return value
        } catch {
            // When that fails too, the connection is not usable any more, and is given up.
            _ = try? run("ROLLBACK")
            throw error
        }
    }

    private func prepare(
        _ sql: String, _ parameters: [PostgreSQLParameter], deadline: ContinuousClock.Instant
    ) throws(PostgreSQLFailure) -> String {
        if let name = statements[sql] { return name }
        let name = "tally_\(statements.count + 1)"
        let types = parameters.map(\.type)
        try check(PQsendPrepare(pointer, name, sql, Int32(types.count), types))
        _ = try result(deadline: deadline)
        statements[sql] = name
        return name
    }

    private func send(_ name: String, _ parameters: [PostgreSQLParameter]) throws(PostgreSQLFailure) {
        // All values in one buffer, which doesn't move during the call.
        let all: [UInt8] = parameters.compactMap(\.bytes).flatMap { $0 } + [0]
        let lengths = parameters.map { Int32($0.bytes?.count ?? 0) }
        let formats = parameters.map { _ in Int32(1) }
        let isSent = all.withUnsafeBytes { buffer in
            var next = buffer.baseAddress?.assumingMemoryBound(to: CChar.self)
            let values = parameters.map { parameter -> UnsafePointer<CChar>? in
                guard let bytes = parameter.bytes else { return nil }
                defer { next = next.map { $0 + bytes.count } }
                return next
            }
            return PQsendQueryPrepared(pointer, name, Int32(values.count), values, lengths, formats, 1)
        }
        try check(isSent)
    }

    private func check(_ isSent: Int32) throws(PostgreSQLFailure) {
        guard isSent == 1 else { throw .disconnected(PostgreSQLConnection.error(of: pointer)) }
    }

    /// Waits for everything that the server answers to what was sent.
    /// - Returns: the last result.
    private func result(deadline: ContinuousClock.Instant) throws(PostgreSQLFailure) -> PostgreSQLResult {
        while true {
            let state = PQflush(pointer)
            if state == 0 { break }
            guard state == 1 else { throw .disconnected(PostgreSQLConnection.error(of: pointer)) }
            try wait(for: POLLIN | POLLOUT, deadline: deadline)
        }
        var last: PostgreSQLResult?
        var failure: PostgreSQLFailure?
        while true {
            while PQisBusy(pointer) == 1 { try wait(for: POLLIN, deadline: deadline) }
            guard let next = PQgetResult(pointer) else { break }
            let result = PostgreSQLResult(next)
            if failure == nil { failure = result.failure }
            last = result
        }
        if PQstatus(pointer) != CONNECTION_OK { throw .disconnected(PostgreSQLConnection.error(of: pointer)) }
        if let failure { throw failure }
        guard let last else { throw .disconnected("the server answered nothing") }
        return last
    }

    private func wait(for events: Int32, deadline: ContinuousClock.Instant) throws(PostgreSQLFailure) {
        let left = (deadline - .now) / .milliseconds(1)
        guard left > 0 else {
            // Nobody knows where this connection stands.
            shutdown(PQsocket(pointer), Int32(SHUT_RDWR))
            throw .timedOut(limit)
        }
        var descriptor = pollfd(fd: PQsocket(pointer), events: Int16(events), revents: 0)
        guard poll(&descriptor, 1, Int32(min(left + 1, 60_000))) > 0 else { return }
        if descriptor.revents & Int16(POLLIN | POLLHUP | POLLERR) != 0, PQconsumeInput(pointer) != 1 {
            throw .disconnected(PostgreSQLConnection.error(of: pointer))
        }
    }

    /// In one line.
    private static func error(of pointer: OpaquePointer) -> String {
        PostgreSQLConnection.line(PQerrorMessage(pointer).map { String(cString: $0) } ?? "")
    }

    fileprivate static func line(_ message: String) -> String {
        let lines = message.split(whereSeparator: \.isNewline).map { $0.drop(while: \.isWhitespace) }
        return lines.isEmpty ? "no reason was given" : lines.joined(separator: "; ")
    }
}

/// What a statement answered, in the binary form.
final class PostgreSQLResult {
    private let pointer: OpaquePointer

    fileprivate init(_ pointer: OpaquePointer) { self.pointer = pointer }

    deinit { PQclear(pointer) }

    var rowCount: Int { Int(PQntuples(pointer)) }

    /// How many rows the statement wrote; 0 when it doesn't write.
    var affectedRows: Int { PQcmdTuples(pointer).flatMap { Int(String(cString: $0)) } ?? 0 }

    fileprivate var failure: PostgreSQLFailure? {
        switch PQresultStatus(pointer) {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY: return nil
        default:
            let state = field("C") ?? ""
            let message = [field("M"), field("D").map { "(\($0))" }].compactMap { $0 }.joined(separator: " ")
            if state.isEmpty {
                let reason = PQresultErrorMessage(pointer).map { String(cString: $0) } ?? ""
                return .disconnected(PostgreSQLConnection.line(reason))
            }
            return .refused(state: state, message: PostgreSQLConnection.line(message))
        }
    }

    private func field(_ code: Character) -> String? {
        let number = Int32(code.asciiValue ?? 0)
        return PQresultErrorField(pointer, number).map { String(cString: $0) }
    }

    func isNull(_ row: Int, _ column: Int) -> Bool { PQgetisnull(pointer, Int32(row), Int32(column)) == 1 }

    /// Of any width.
    func integer(_ row: Int, _ column: Int) throws(PostgreSQLFailure) -> Int64 {
        let bytes = raw(row, column)
        switch bytes.count {
        case 8: return Int64(bigEndian: bytes.loadUnaligned(as: Int64.self))
        case 4: return Int64(Int32(bigEndian: bytes.loadUnaligned(as: Int32.self)))
        case 2: return Int64(Int16(bigEndian: bytes.loadUnaligned(as: Int16.self)))
        case 1: return Int64(Int8(bitPattern: bytes[0]))
        default: throw .damage("column \(column + 1) is no integer: it has \(bytes.count) bytes")
        }
    }

    func text(_ row: Int, _ column: Int) -> String { String(decoding: raw(row, column), as: UTF8.self) }

    func optionalText(_ row: Int, _ column: Int) -> String? { isNull(row, column) ? nil : text(row, column) }

    /// Whether it holds exactly these bytes.
    func holds(_ bytes: [UInt8], _ row: Int, _ column: Int) -> Bool { raw(row, column).elementsEqual(bytes) }

    func bytes(_ row: Int, _ column: Int) -> [UInt8] { Array(raw(row, column)) }

    /// The text of a `jsonb`.
    func document(_ row: Int, _ column: Int) throws(PostgreSQLFailure) -> ArraySlice<UInt8> {
        let bytes = raw(row, column)
        guard bytes.first == 1 else { throw .damage("column \(column + 1) is no jsonb of version 1") }
        return ArraySlice(bytes.dropFirst())
    }

    private func raw(_ row: Int, _ column: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(
            start: PQgetvalue(pointer, Int32(row), Int32(column)),
            count: Int(PQgetlength(pointer, Int32(row), Int32(column))))
    }
}

#endif
