internal import Foundation
internal import Synchronization

/// Stands before one broker of this machine that knows no SASL, and lets in who knows the password (PLAIN). The password may be
/// changed, and connections hung up, as by a broker whose users' passwords are rotated.
public final class SASLFront: Sendable {
    private let listener: Int32
    private let server: Int
    private let secret: Mutex<String>
    private let open = Mutex<Set<Int32>>([])
    private let refusals = Mutex(0)
    public let port: Int

    /// How many logins were refused.
    public var refused: Int { refusals.withLock { $0 } }

    public init(to server: Int, password: String) throws {
        self.server = server
        secret = Mutex(password)
        let listener: Int32
        (listener, port) = try Wire.listen()
        self.listener = listener
        Thread.detachNewThread { [self] in
            while case let client = accept(listener, nil, nil), client >= 0 {
                Thread.detachNewThread { [self] in
                    guard let broker = Wire.connect(to: server) else { return _ = Foundation.close(client) }
                    open.withLock { _ = $0.insert(client) }
                    serve(client, broker)
                    open.withLock { _ = $0.remove(client) }
                    for socket in [client, broker] { shutdown(socket, Int32(SHUT_RDWR)) }
                }
            }
            Foundation.close(listener)
        }
    }

    public func close() {
        shutdown(listener, Int32(SHUT_RDWR))
        drop()
    }

    /// Hangs up on everybody.
    public func drop() { open.withLock { for client in $0 { shutdown(client, Int32(SHUT_RDWR)) } } }

    /// Another password lets in from now on, and who is in must come anew.
    public func change(to password: String) {
        secret.withLock { $0 = password }
        drop()
    }

    private func serve(_ client: Int32, _ broker: Int32) {
        guard letsIn(client, broker) else { return }
        Thread.detachNewThread { [self] in
            while let answer = Wire.frame(from: broker),
                Wire.send(Wire.moved(answer, from: server, to: port), to: client)
            {}
            shutdown(client, Int32(SHUT_RDWR))
        }
        while let request = Wire.frame(from: client), Wire.send(request, to: broker) {}
    }

    /// Whether a client logs in. Until then the broker is only asked what it knows.
    private func letsIn(_ client: Int32, _ broker: Int32) -> Bool {
        while let request = Wire.frame(from: client), request.count >= 8 {
            let (api, version) = (Int(request[0]) << 8 | Int(request[1]), Int(request[2]) << 8 | Int(request[3]))
            switch api {
            case 18:
                guard Wire.send(request, to: broker), let answer = Wire.frame(from: broker),
                    Wire.send(Self.withSASL(answer, version), to: client)
                else { return false }
            case 17:
                let mechanisms: [UInt8] = [0, 0, 0, 0, 0, 1, 0, 5] + Array("PLAIN".utf8)
                guard Wire.send(Array(request[4..<8]) + mechanisms, to: client) else { return false }
            case 36:
                let isRight = request.behindLast(0) == Array(secret.withLock { $0 }.utf8)[...]
                let words = "Authentication failed: Invalid username or password"
                let said: [UInt8] =
                    isRight ? [0, 0, 255, 255] : [0, 58, 0, UInt8(words.utf8.count)] + Array(words.utf8)
                let rest: [UInt8] = [0, 0, 0, 0] + (version >= 1 ? [UInt8](repeating: 0, count: 8) : [])
                if !isRight { refusals.withLock { $0 += 1 } }
                guard Wire.send(Array(request[4..<8]) + said + rest, to: client), isRight else { return false }
                return true
            default: return false
            }
        }
        return false
    }

    /// What a broker says that it knows, and SaslHandshake and SaslAuthenticate, each of versions 0 and 1.
    private static func withSASL(_ answer: [UInt8], _ version: Int) -> [UInt8] {
        // The correlation's number and the error's come first. Version 3 has compact arrays, and tags.
        var answer = answer
        if version >= 3, answer[4] == 0, answer[5] == 0 {
            answer[6] += 2
            answer.insert(contentsOf: [0, 17, 0, 0, 0, 1, 0, 0, 36, 0, 0, 0, 1, 0], at: 7)
        } else {
            answer[9] += 2
            answer.insert(contentsOf: [0, 17, 0, 0, 0, 1, 0, 36, 0, 0, 0, 1], at: 10)
        }
        return answer
    }
}

extension [UInt8] {
    /// What is behind the last of some byte.
    fileprivate func behindLast(_ byte: UInt8) -> ArraySlice<UInt8> {
        lastIndex(of: byte).map { self[($0 + 1)...] } ?? self[...]
    }
}
