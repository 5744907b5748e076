internal import HTTPTypes
internal import Hummingbird
internal import MillraceBus
internal import NIOCore

/// What is answered, before it goes out.
struct Reply: Sendable {
    typealias Writing = @Sendable (StreamWriter) async throws -> Void

    enum Content: Sendable {
        case none
        case text(String)
        /// Written bit by bit, as fast as the reader takes it.
        case stream(Writing)
    }
    var status: Int
    var fields: HTTPFields
    var content: Content

    init(_ status: Int, _ type: MediaType, _ content: Content) {
        (self.status, self.content) = (status, content)
        fields = [.contentType: type.field]
    }

    /// Nothing but a status.
    init(_ status: Int) { (self.status, fields, content) = (status, [:], .none) }

    init(_ problem: Problem) {
        status = problem.status.rawValue
        fields = [.contentType: Problem.mediaType]
        content = .text(problem.json + "\n")
        if let after = problem.retryAfter {
            fields[.retryAfter] = String(max(1, Int((after / .seconds(1)).rounded(.up))))
        }
        if !problem.allow.isEmpty { fields[.allow] = problem.allow.joined(separator: ", ") }
        if let challenge = problem.challenge { fields[.wwwAuthenticate] = challenge }
    }

    static func json(_ text: String) -> Reply { Reply(200, .json, .text(text + "\n")) }
}

/// The body of an answer, bit by bit. A write waits until the connection takes it.
///
/// It is Sendable unchecked, for a stream is written by one task at a time, which waits for each write.
final class StreamWriter: @unchecked Sendable {
    private var writer: any ResponseBodyWriter

    init(_ writer: any ResponseBodyWriter) { self.writer = writer }

    func write(_ text: String) async throws { try await writer.write(ByteBuffer(string: text)) }
    func write(_ bytes: [UInt8]) async throws { try await writer.write(ByteBuffer(bytes: bytes)) }
}

extension HTTPField.Name {
    static let idempotencyKey = HTTPField.Name("Idempotency-Key")!
    static let lastEventID = HTTPField.Name("Last-Event-ID")!
    static let retryAfter = HTTPField.Name("Retry-After")!
    static let nextCursor = HTTPField.Name("Millrace-Next")!
    static let asOf = HTTPField.Name("Millrace-As-Of")!
}
