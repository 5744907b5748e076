internal import Foundation
internal import Synchronization

/// Stands before one broker of this machine that knows no quotas, and says of each Produce and Fetch that it was held back.
public final class QuotaFront: Sendable {
    private let listener: Int32
    private let server: Int
    private let milliseconds: Int
    /// Which requests are on their way, by connection and number.
    private let asked = Mutex<[Asked: (api: Int, version: Int)]>([:])
    public let port: Int

    private struct Asked: Hashable {
        var connection: Int32
        var number: [UInt8]
    }

    public init(to server: Int, milliseconds: Int) throws {
        (self.server, self.milliseconds) = (server, milliseconds)
        let listener: Int32
        (listener, port) = try Wire.listen()
        self.listener = listener
        Thread.detachNewThread { [self] in
            while case let client = accept(listener, nil, nil), client >= 0 {
                Thread.detachNewThread { [self] in
                    guard let broker = Wire.connect(to: server) else { return _ = Foundation.close(client) }
                    serve(client, broker)
                    for socket in [client, broker] { shutdown(socket, Int32(SHUT_RDWR)) }
                }
            }
            Foundation.close(listener)
        }
    }

    public func close() { shutdown(listener, Int32(SHUT_RDWR)) }

    private func serve(_ client: Int32, _ broker: Int32) {
        Thread.detachNewThread { [self] in
            while let answer = Wire.frame(from: broker), answer.count >= 4 {
                let request = asked.withLock {
                    $0.removeValue(forKey: Asked(connection: client, number: Array(answer[..<4])))
                }
                let told = Wire.moved(held(answer, to: request), from: server, to: port)
                guard Wire.send(told, to: client) else { break }
            }
            shutdown(client, Int32(SHUT_RDWR))
        }
        while let request = Wire.frame(from: client), request.count >= 8 {
            let (api, version) = (Int(request[0]) << 8 | Int(request[1]), Int(request[2]) << 8 | Int(request[3]))
            let number = Asked(connection: client, number: Array(request[4..<8]))
            asked.withLock { $0[number] = (api, version) }
            guard Wire.send(request, to: broker) else { return }
        }
    }

    /// The answer with a throttle_time_ms: of Produce it comes last, of Fetch first (both before their flexible versions).
    private func held(_ answer: [UInt8], to request: (api: Int, version: Int)?) -> [UInt8] {
        var answer = answer
        switch request {
        case (api: 0, version: 1...8)?: answer.replaceSubrange((answer.count - 4)..., with: Wire.number(milliseconds))
        case (api: 1, version: 1...11)?: answer.replaceSubrange(4..<8, with: Wire.number(milliseconds))
        default: break
        }
        return answer
    }
}
