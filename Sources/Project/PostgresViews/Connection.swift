internal import CPostgres
internal import Foundation
internal import Projecting

/// One connection with a thread for its calls, which block.
///
/// It is unchecked because libpq's connection is a plain pointer: only what runs on `queue` touches it.
final class Connection: @unchecked Sendable {
    private let queue = DispatchQueue(label: "millrace.postgres")
    private var session: Session?

    private init() {}
    deinit { session?.close() }

    static func open(_ address: Address) async throws -> Connection {
        let connection = Connection()
        try await connection.onQueue { connection.session = try Session(address) }
        return connection
    }

    /// Runs what uses the connection; says whether it can be used again.
    func run<R: Sendable>(_ body: @escaping @Sendable (Session) throws -> R) async -> (Result<R, any Error>, Bool) {
        await withCheckedContinuation { continuation in
            queue.async { [self] in
                guard let session else {
                    let error = PostgresError(message: "the connection is closed", isLost: true)
                    return continuation.resume(returning: (.failure(error), false))
                }
                let result = Result { try body(session) }
                continuation.resume(returning: (result, session.isIdle))
            }
        }
    }

    func close() async {
        try? await onQueue { [self] in
            session?.close()
            session = nil
        }
    }

    private func onQueue(_ body: @escaping @Sendable () throws -> Void) async throws {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result(catching: body)) }
        }
    }
}

/// libpq's connection. Every wait has a deadline, so that no silence of a server is waited out for ever.
final class Session {
    private let handle: OpaquePointer
    private var prepared: [String: String] = [:]

    /// Connects, and sets the limits that the server itself keeps.
    init(_ address: Address) throws {
        let parameters = address.parameters
        var keywords = parameters.map { UnsafePointer(strdup($0.0)) } + [nil]
        var values = parameters.map { UnsafePointer(strdup($0.1)) } + [nil]
        defer { for text in keywords + values { free(UnsafeMutablePointer(mutating: text)) } }
        guard let handle = PQconnectStartParams(&keywords, &values, 1) else {
            throw PostgresError(message: "out of memory", isLost: true)
        }
        self.handle = handle
        do {
            // Before there is a result, the server's code stands only in the text.
            PQsetErrorVerbosity(handle, PQERRORS_VERBOSE)
            cpostgres_silence(handle)
            try connect()
            PQsetErrorVerbosity(handle, PQERRORS_DEFAULT)
            if PQsetnonblocking(handle, 1) != 0 { throw failure() }
            try greet(address)
        } catch {
            PQfinish(handle)
            throw error
        }
    }

    func close() { PQfinish(handle) }

    /// Neither lost nor within a transaction.
    var isIdle: Bool { PQstatus(handle) == CONNECTION_OK && PQtransactionStatus(handle) == PQTRANS_IDLE }

    private func connect() throws {
        let deadline = ContinuousClock.now + PostgresLimits.connect
        if PQstatus(handle) == CONNECTION_BAD { throw failure() }
        var waitsFor = Int16(POLLOUT)
        while true {
            try wait(waitsFor, until: deadline, "no connection within \(PostgresLimits.connect.whole) s")
            switch PQconnectPoll(handle) {
            case PGRES_POLLING_OK: return
            case PGRES_POLLING_READING: waitsFor = Int16(POLLIN)
            case PGRES_POLLING_WRITING: waitsFor = Int16(POLLOUT)
            default:
                var error = failure()
                if PQconnectionNeedsPassword(handle) == 1 { error.state = "28P01" }
                throw error
            }
        }
    }

    private func greet(_ address: Address) throws {
        let encoding = PQparameterStatus(handle, "server_encoding").map { String(cString: $0) } ?? ""
        if encoding != "UTF8" {
            throw ViewError(
                .setting,
                "the database \(address) has the encoding \(encoding); make one with: createdb --encoding UTF8 NAME")
        }
        let limits = [
            ("statement_timeout", PostgresLimits.statement), ("lock_timeout", PostgresLimits.lock),
            ("idle_in_transaction_session_timeout", PostgresLimits.idleInTransaction),
        ]
        let sets = limits.map { "set_config('\($0.0)', '\($0.1.whole)s', false)" }.joined(separator: ", ")
        try execute("SELECT \(sets)")
    }

    /// Runs one statement to its end.
    @discardableResult
    func execute(_ sql: String, _ parameters: Parameters = Parameters()) throws -> Answer {
        try answer(sql) {
            Self.passing(parameters) { PQsendQueryParams(handle, sql, $0, nil, $1, $2, $3, 1) }
        }
    }

    /// Runs one statement that is asked again and again; the server plans it once.
    func executePrepared(_ sql: String, _ parameters: Parameters) throws -> Answer {
        let name = try prepare(sql)
        return try answer(sql) {
            Self.passing(parameters) { PQsendQueryPrepared(handle, name, $0, $1, $2, $3, 1) }
        }
    }

    private func prepare(_ sql: String) throws -> String {
        if let name = prepared[sql] { return name }
        if prepared.count >= PostgresLimits.prepared {
            try execute("DEALLOCATE ALL")
            prepared = [:]
        }
        let name = "s\(prepared.count)"
        _ = try answer(sql) { PQsendPrepare(handle, name, sql, 0, nil) }
        prepared[sql] = name
        return name
    }

    private typealias Texts = UnsafePointer<UnsafePointer<CChar>?>
    /// Pointers into the buffer live as long as `send`, which copies what they point to.
    private static func passing(
        _ parameters: Parameters, _ send: (Int32, Texts, UnsafePointer<Int32>, UnsafePointer<Int32>) -> Int32
    ) -> Int32 {
        // A value of no bytes needs a pointer too, for a missing one is null.
        let bytes = parameters.bytes.isEmpty ? [0] : parameters.bytes
        return bytes.withUnsafeBytes { buffer in
            let texts = parameters.spans.map { span in
                span.map { (buffer.baseAddress! + $0.lowerBound).assumingMemoryBound(to: CChar.self) }
            }
            let lengths = parameters.spans.map { Int32($0?.count ?? 0) }
            let formats = parameters.spans.map { _ in Int32(1) }
            return send(Int32(parameters.count), texts, lengths, formats)
        }
    }

    private func answer(_ sql: String, _ send: () -> Int32) throws -> Answer {
        let deadline = ContinuousClock.now + PostgresLimits.answer
        let late = "no answer within \(PostgresLimits.answer.whole) s"
        if send() == 0 { throw failure() }
        while true {
            let left = PQflush(handle)
            if left < 0 { throw failure() }
            if left == 0 { break }
            // A server that answers before it has read everything must be listened to, or both wait.
            try wait(Int16(POLLIN | POLLOUT), until: deadline, late)
            if PQconsumeInput(handle) == 0 { throw failure() }
        }
        var last: Answer?
        var error: PostgresError?
        while true {
            while PQisBusy(handle) == 1 {
                try wait(Int16(POLLIN), until: deadline, late)
                if PQconsumeInput(handle) == 0 { throw failure() }
            }
            guard let result = PQgetResult(handle) else { break }
            let status = PQresultStatus(result)
            if status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK {
                last = Answer(result)
            } else {
                error = error ?? failure(result)
                PQclear(result)
            }
        }
        if let error { throw error }
        guard let last else { throw failure() }
        return last
    }

    private func wait(_ events: Int16, until deadline: ContinuousClock.Instant, _ late: String) throws {
        while true {
            let left = deadline - .now
            let (seconds, attoseconds) = left.components
            let milliseconds = seconds * 1000 + attoseconds / 1_000_000_000_000_000
            if milliseconds <= 0 { throw PostgresError(message: late, isLost: true) }
            var entry = pollfd(fd: PQsocket(handle), events: events, revents: 0)
            if entry.fd < 0 { throw failure() }
            let ready = poll(&entry, 1, Int32(milliseconds))
            if ready > 0 { return }
            if ready < 0 && errno != EINTR { throw failure() }
        }
    }

    private func failure(_ result: OpaquePointer) -> PostgresError {
        func field(_ code: Character) -> String? {
            PQresultErrorField(result, Int32(code.asciiValue ?? 0)).map { String(cString: $0) }
        }
        let message = [field("M"), field("D")].compactMap { $0 }.joined(separator: ": ")
        let said = message.isEmpty ? Self.told(String(cString: PQresultErrorMessage(result))).message : message
        let state = field("C")
        // After a FATAL error the server closes the connection.
        let isLost = PQstatus(handle) == CONNECTION_BAD || ["FATAL", "PANIC"].contains(field("V") ?? "")
        return PostgresError(state: state, message: said, isLost: isLost)
    }
    private func failure() -> PostgresError {
        let (state, message) = Self.told(String(cString: PQerrorMessage(handle)))
        return PostgresError(state: state, message: message, isLost: true)
    }

    /// Code and text of a verbose message: `FATAL:  28P01: password authentication failed`, with lines that say where in
    /// the server's sources.
    static func told(_ text: String) -> (state: String?, message: String) {
        let lines = text.split(separator: "\n").filter { !$0.contains(/^[A-Z]+: +[a-zA-Z_]+, [a-z_]+\.c:[0-9]+$/) }
        let whole = lines.map { $0.trimmingCharacters(in: .whitespaces) }.joined(separator: "; ")
        guard let found = whole.firstMatch(of: #/: +((?=[A-Z]*[0-9])[0-9A-Z]{5}): /#) else { return (nil, whole) }
        return (String(found.1), whole.replacingCharacters(in: found.range, with: ": "))
    }
}

extension Session {
    /// Everything or nothing. An error of `body` stays what it is.
    func transaction<R>(_ mode: String, _ body: () throws -> R) throws -> R {
        try execute("BEGIN \(mode)")
        let result: R
        do {
            result = try body()
        } catch {
            _ = try? execute("ROLLBACK")
            throw error
        }
        do {
            // The end of a transaction that had an error is ROLLBACK, whatever it was asked for.
            if try execute("COMMIT").tag == "COMMIT" { return result }
        } catch var error as PostgresError where error.isLost {
            error.isUnsure = true
            throw error
        }
        throw PostgresError(message: "the transaction was given up after an error that nobody minded")
    }
}
