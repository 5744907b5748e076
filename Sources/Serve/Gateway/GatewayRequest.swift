internal import EventModel
internal import HTTPTypes
internal import Hummingbird
internal import MillraceBus
internal import NIOCore
internal import Synchronization

/// A request that was let in: who asks, and for what.
struct GatewayRequest: Sendable {
    let target: RequestTarget
    let fields: HTTPFields
    let access: Access
    /// Whom limits count it for: a token's subject, or an address.
    let whose: String
    /// The address that it came from.
    let address: String
    /// What the client calls this place.
    let host: String?
    /// Only what would be answered is asked for.
    let isHead: Bool
    let body: RequestedBody
    /// Whether a page of this gateway's own asks: only such a one may send a form.
    let isOwnPage: Bool
    /// The trace that what it asks for belongs to.
    let trace: TraceContext?
    /// Whether whoever asked is not there any more, or is let in no more: a stream outlives many a token.
    let isGone: @Sendable () -> Bool
    /// Asks again who asks, while a body still comes.
    let checkAgain: @Sendable () throws(Problem) -> Void

    var parameters: ParameterReader { ParameterReader(target.parameters) }

    /// - Throws: ``Problem`` where it may not.
    func require(_ scope: Scope, in domain: String?) throws(Problem) {
        if access.allows(scope, in: domain) { return }
        throw Problem(lacking: Access.Grant(scope, in: domain), of: access.subject)
    }

    /// - Throws: ``Problem`` where it may not send a command of that name.
    func require(toSend command: String, to domain: Domain) throws(Problem) {
        try require(Access.grant(toSend: command, to: domain).scope, in: domain.name)
    }

    /// The best of some media types for whoever asks.
    func chosen(of offered: MediaType...) throws(Problem) -> MediaType {
        try MediaType.chosen(of: offered, accept: fields[.accept])
    }
}

/// The body of a request, which is read once.
final class RequestedBody: Sendable {
    private let body: RequestBody
    private let length: Int?
    private let isGzip: Bool
    private let encoding: String?
    private let type: String?
    private let isRead = Atomic(false)

    init(_ request: Request) {
        body = request.body
        let fields = request.headers
        length = fields[.contentLength].flatMap { Int($0) } ?? (fields[.transferEncoding] == nil ? 0 : nil)
        encoding = fields[.contentEncoding]?.lowercased()
        isGzip = encoding == "gzip"
        type = fields[.contentType]
    }

    /// Whether so much of it was not read that the connection is not worth it.
    var isLeftBehind: Bool {
        if isRead.load(ordering: .relaxed) { return false }
        return length.map { $0 > GatewayLimits.drainedBytes } ?? true
    }

    /// Whether it has none.
    var isEmpty: Bool { length == 0 }

    /// Which of some kinds it is said to be.
    ///
    /// - Throws: ``Problem`` where it is none of them.
    func kind(of expected: [MediaType]) throws(Problem) -> MediaType {
        try begin(expected)
        return expected.first { (try? MediaType.check(type, isOneOf: [$0])) != nil } ?? expected[0]
    }

    /// Checks what the request says of a body of lines.
    func checkLines() throws(Problem) { try begin([.lines, .json]) }

    private func begin(_ expected: [MediaType]) throws(Problem) {
        try MediaType.check(type, isOneOf: expected)
        if let encoding, !["gzip", "identity"].contains(encoding) {
            throw Problem(
                .unsupportedMediaType, "Content-Encoding is \(encoding); it must be gzip, or left out",
                field: "Content-Encoding")
        }
    }

    /// All of it, which is one message.
    func json() async throws -> String { try await text(.json) }

    /// The fields of a form.
    func form() async throws -> ParameterReader {
        ParameterReader(try RequestTarget.parameters(of: try await text(.form)[...], "the form"))
    }

    func text(_ expected: MediaType) async throws -> String {
        try begin([expected])
        let tooLarge = Problem(.contentTooLarge, "the body has over \(GatewayLimits.bodyBytes) bytes")
        if let length, length > GatewayLimits.bodyBytes { throw tooLarge }
        let unpacking = isGzip ? try Gunzip() : nil
        var bytes: [UInt8] = []
        for try await chunk in body {
            if let unpacking {
                try unpacking.add(Array(chunk.readableBytesView)) {
                    bytes += $0
                    return bytes.count <= GatewayLimits.bodyBytes
                }
            } else {
                bytes += chunk.readableBytesView
            }
            if bytes.count > GatewayLimits.bodyBytes { throw tooLarge }
        }
        isRead.store(true, ordering: .relaxed)
        try unpacking?.end()
        // A parser may pass over a byte order mark (RFC 8259, section 8.1).
        guard let text = String(validating: bytes[...].withoutByteOrderMark, as: UTF8.self) else {
            throw Problem(.badRequest, "the body is not UTF-8")
        }
        return text
    }

    /// Its lines, as they come. Nothing of the body is read before they are asked for.
    func lines() throws -> BodyLines {
        try checkLines()
        return BodyLines(body, gunzip: isGzip ? try Gunzip() : nil) { self.isRead.store(true, ordering: .relaxed) }
    }
}

/// The lines of a body, chunk by chunk: the next is read when those of the last have been taken.
struct BodyLines {
    private var chunks: RequestBody.AsyncIterator
    private let gunzip: Gunzip?
    private var splitter = LineSplitter(limit: Limits.lineBytes)
    private var isOver = false
    private let ended: () -> Void

    init(_ body: RequestBody, gunzip: Gunzip?, ended: @escaping () -> Void) {
        (chunks, self.gunzip, self.ended) = (body.makeAsyncIterator(), gunzip, ended)
    }

    /// The lines that the next chunk completes, perhaps none; nil at the end.
    mutating func next() async throws -> [InputLine]? {
        if isOver { return nil }
        guard let chunk = try await chunks.next() else {
            isOver = true
            try gunzip?.end()
            ended()
            return Self.unmarked(splitter.take([], endsWhole: true))
        }
        let bytes = Array(chunk.readableBytesView)
        guard let gunzip else { return Self.unmarked(splitter.take(bytes)) }
        var lines: [InputLine] = []
        try gunzip.add(bytes) {
            lines += splitter.take($0)
            return true
        }
        return Self.unmarked(lines)
    }

    /// The same without a mark at the beginning of the first line of all.
    private static func unmarked(_ lines: [InputLine]) -> [InputLine] {
        guard var first = lines.first, first.number == 1 else { return lines }
        first.bytes = first.bytes.withoutByteOrderMark
        return [first] + lines.dropFirst()
    }
}
