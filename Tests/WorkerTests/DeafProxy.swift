import Synchronization
import TestSupport

/// Stands between clients and a server. Once it is told to, it passes the next COMMIT on and hangs up instead of passing on
/// the answer.
final class DeafProxy: Sendable {
    private final class Hearing: Sendable {
        enum Mode { case passing, waiting, deaf }
        let state = Mutex((mode: Mode.passing, cuts: 0))

        func isPassed(_ direction: Proxy.Direction, _ bytes: ArraySlice<UInt8>) -> Bool {
            state.withLock { state in
                switch direction {
                case .toServer:
                    if state.mode == .waiting, bytes.contains("COMMIT".utf8) { state.mode = .deaf }
                    return true
                case .toClient:
                    if state.mode != .deaf { return true }
                    state = (.passing, state.cuts + 1)
                    return false
                }
            }
        }
    }
    private let hearing = Hearing()
    private let proxy: Proxy
    var port: Int { proxy.port }

    /// - Parameter server: A port of this machine.
    init(to server: Int) throws { proxy = try Proxy(to: server, isPassed: hearing.isPassed) }

    func close() { proxy.close() }

    /// The answer to the next COMMIT will be lost.
    func cutNextCommit() { hearing.state.withLock { $0.mode = .waiting } }
    var cuts: Int { hearing.state.withLock(\.cuts) }
}
