internal import CoreMetrics
internal import Handling
internal import Metering
internal import MillraceBus
internal import PrometheusExporter
internal import Synchronization

/// What the gateway counts. Handles are kept by what they count, for to look one up costs.
final class GatewayMetrics: Sendable {
    private struct Request: Hashable {
        var path: String
        var method: String
        var status: Int
    }
    private struct Decided: Hashable {
        var command: String
        /// Empty where it was accepted.
        var reason: String
    }
    private struct State {
        var requests: [Request: Series] = [:]
        var decided: [Decided: Counter] = [:]
    }
    private let factory: any MetricsFactory
    private let state = Mutex(State())
    /// Methods that are counted by name: a client may make up others.
    private static let methods: Set<String> = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

    init(in factory: any MetricsFactory) { self.factory = factory }

    /// Where requests of a kind are counted, for who has many of them.
    struct Series {
        fileprivate let count: Counter
        fileprivate let took: CoreMetrics.Timer

        func note(_ took: Duration) {
            count.increment()
            self.took.recordNanoseconds(Int64(took / .nanoseconds(1)))
        }
    }

    func note(_ path: String, _ method: String, _ status: Int, _ took: Duration) {
        series(path, method, status).note(took)
    }

    func series(_ path: String, _ method: String, _ status: Int) -> Series {
        let method = Self.methods.contains(method) ? method : "other"
        let request = Request(path: path, method: method, status: status)
        return state.withLock { state in
            if let known = state.requests[request] { return known }
            let made = Series(
                count: Measures.requests.counter(path, method, String(status), in: factory),
                took: Measures.requestTime.timer(path, in: factory))
            state.requests[request] = made
            return made
        }
    }

    func note(_ outcome: Outcome, of command: String) {
        let decided = Decided(command: command, reason: outcome.reason)
        let counter = state.withLock { state in
            if let known = state.decided[decided] { return known }
            let made = Measures.sent.counter(
                command, outcome.reason.isEmpty ? "accepted" : "refused", outcome.reason, in: factory)
            state.decided[decided] = made
            return made
        }
        counter.increment()
    }
}

extension GatewayEnvironment {
    /// `GET /metrics`.
    func metrics(_ request: GatewayRequest) async throws -> Reply {
        try request.require(.operate, in: nil)
        try request.parameters.end("/metrics")
        return Reply(200, .metrics, .text(await settings.registry.text()))
    }

    /// Has the registry ask for what is not counted but seen.
    func register() {
        let (registry, workers, log, streams, beside) = (settings.registry, workers, log, streams, beside)
        registry.collectProcess()
        registry.collect(of: workers, on: log)
        registry.collect { [MeasuredSample(Measures.streams, [], Double(streams.count))] }
        registry.collect { [MeasuredSample(Measures.routeWaiting, [], Double(beside.count))] }
    }
}
