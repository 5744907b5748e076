internal import Foundation
internal import Synchronization

/// As much of a Kafka broker as a client meets with before it is let in: it says what it knows, and answers SASL as it is told to.
///
/// Kafka's own answers, of protocol guide: ApiVersions, SaslHandshake and SaslAuthenticate.
public final class SASLBroker: Sendable {
    /// What comes of logging in.
    public enum Answer: Sendable {
        /// The user or the password is wrong: SASL_AUTHENTICATION_FAILED with these words.
        case wrong(String)
        /// The mechanism is none of these: UNSUPPORTED_SASL_MECHANISM.
        case mechanisms([String])
        /// It hangs up in the middle, as one that dies.
        case hangsUp
    }

    private let listener: Int32
    private let answer: Answer
    private let tries = Mutex(0)
    public let port: Int

    /// How many have tried to log in.
    public var count: Int { tries.withLock { $0 } }

    public init(_ answer: Answer) throws {
        self.answer = answer
        let listener: Int32
        (listener, port) = try Wire.listen()
        self.listener = listener
        Thread.detachNewThread { [self] in
            while case let client = accept(listener, nil, nil), client >= 0 {
                Thread.detachNewThread { [self] in
                    serve(client)
                    Foundation.close(client)
                }
            }
            Foundation.close(listener)
        }
    }

    public func close() { shutdown(listener, Int32(SHUT_RDWR)) }

    private func serve(_ client: Int32) {
        while let request = Wire.frame(from: client), request.count >= 8 {
            let (api, version) = (Int(request[0]) << 8 | Int(request[1]), Int(request[2]) << 8 | Int(request[3]))
            guard let body = self.body(of: api, version) else { return }
            guard Wire.send(Array(request[4..<8]) + body, to: client) else { return }
        }
    }

    /// The answer to a request; nil hangs up.
    private func body(of api: Int, _ version: Int) -> [UInt8]? {
        func text(_ text: String) -> [UInt8] { [0, UInt8(text.utf8.count)] + Array(text.utf8) }
        switch api {
        case 18:
            // Which requests it knows, each from version 0 to 3 or 1: version 3 has compact arrays and tags.
            let known: [(UInt8, UInt8)] = [(3, 4), (17, 1), (18, 3), (36, 1)]
            if version >= 3 {
                return [0, 0, UInt8(known.count + 1)] + known.flatMap { [0, $0, 0, 0, 0, $1, 0] } + [0, 0, 0, 0, 0]
            }
            return [0, 0, 0, 0, 0, UInt8(known.count)] + known.flatMap { [0, $0, 0, 0, 0, $1] }
                + (version >= 1 ? [0, 0, 0, 0] : [])
        case 17:
            guard case .mechanisms(let names) = answer else { return [0, 0, 0, 0, 0, 1] + text("PLAIN") }
            tries.withLock { $0 += 1 }
            return [0, 33, 0, 0, 0, UInt8(names.count)] + names.flatMap(text)
        case 36:
            tries.withLock { $0 += 1 }
            guard case .wrong(let words) = answer else { return nil }
            return [0, 58] + text(words) + [0, 0, 0, 0] + (version >= 1 ? [UInt8](repeating: 0, count: 8) : [])
        default: return nil
        }
    }
}
