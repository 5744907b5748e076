internal import HTTPTypes
internal import NIOCore

/// Commands that are read, let in and sent on the thread that reads the connection, without a task: `POST /commands/{command}` with
/// a short body.
struct QuickCommands: Sendable {
    /// What becomes of one.
    enum Asked {
        case longWay
        case answered(QuickAnswer)
        /// It will be told.
        case underWay
    }
    private static let folder = "/commands/"
    /// Fields that say that a request wants more than an answer.
    private static let unusual: [HTTPField.Name] = [
        .traceparent, .transferEncoding, .contentEncoding, .expect, .upgrade,
    ]

    private let answers: QuickAnswers
    private let responder: GatewayResponder

    init(_ around: GatewayEnvironment, _ answers: QuickAnswers) {
        (self.answers, responder) = (answers, GatewayResponder(around: around))
    }

    /// Whether a request may be one: then its body is kept until all of it is there.
    func mayTake(_ head: HTTPRequest) -> Bool {
        guard head.method == .post, let path = head.path, path.hasPrefix(Self.folder),
            let length = head.headerFields[.contentLength].flatMap({ Int($0) }), length <= GatewayLimits.quickBody
        else { return false }
        return QuickAnswers.isUsual(head.headerFields, but: Self.unusual)
    }

    /// - Parameters:
    ///   - peer: Who is at the other end.
    ///   - loop: The connection's thread.
    ///   - told: Called there once, where it is under way.
    func ask(
        _ head: HTTPRequest, _ body: ByteBuffer, _ peer: GatewayContext, on loop: any EventLoop,
        told: @escaping @Sendable (QuickAnswer) -> Void
    ) -> Asked {
        let asked = responder.commandNow(head, body, peer) { [answers] answer in
            // Whoever tells has others to tell.
            loop.execute {
                let (reply, seen) = answer()
                told(answers.written(reply, seen))
            }
        }
        switch asked {
        case .longWay: return .longWay
        case .answered(let reply, let seen): return .answered(answers.written(reply, seen))
        case .underWay: return .underWay
        }
    }
}

/// The answer to a request, as it is written.
typealias QuickAnswer = (head: HTTPResponse, body: ByteBuffer?)
