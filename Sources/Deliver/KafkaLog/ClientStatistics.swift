internal import CoreMetrics
internal import Foundation
internal import Metering
internal import Synchronization

/// Adds up what librdkafka's clients of a process tell of themselves, by the kind of client: `producer`, `transactions`,
/// `member`, `reader`.
///
/// A client's numbers are those since it was made, and clients come and go. So counters take what is more than the client said
/// last, and gauges what those say that are there.
final class ClientStatistics: Sendable {
    /// How often clients tell, unless `statistics.interval.ms` says otherwise: what Prometheus asks for by default, and seldom
    /// enough to cost nothing.
    static let interval = Duration.seconds(15)

    private struct Key: Hashable {
        var measure: String
        var client: String
        var broker: String?
    }
    private struct State {
        var counters: [Key: Counter] = [:]
        var meters: [Key: Meter] = [:]
        var now: [ObjectIdentifier: (client: String, said: Statistics)] = [:]
    }
    private let factory: any MetricsFactory
    private let state = Mutex(State())

    init(in factory: any MetricsFactory) { self.factory = factory }

    /// What is to be given to a client that is made: it is told its statistics as JSON, and gone with the client.
    func listener(of client: String) -> @Sendable (String) -> Void {
        let listener = Listener(client, self)
        return { listener.take($0) }
    }

    /// What one client has said.
    private final class Listener: Sendable {
        private let client: String
        private let all: ClientStatistics
        private let last = Mutex(Statistics())

        init(_ client: String, _ all: ClientStatistics) { (self.client, self.all) = (client, all) }

        deinit { all.forget(ObjectIdentifier(self), client) }

        func take(_ json: String) {
            guard let said = try? JSONDecoder().decode(Statistics.self, from: Data(json.utf8)) else { return }
            let before = last.withLock { last in
                defer { last = said }
                return last
            }
            all.take(said, after: before, of: client, ObjectIdentifier(self))
        }
    }

    private func take(_ said: Statistics, after before: Statistics, of client: String, _ id: ObjectIdentifier) {
        state.withLock { state in
            state.now[id] = (client, said)
            func add(_ measure: Measure, _ amount: Int64, at broker: String? = nil) {
                let key = Key(measure: measure.name, client: client, broker: broker)
                let counter = state.counters[key] ?? made(measure, client, broker)
                state.counters[key] = counter
                if amount > 0 { counter.increment(by: amount) }
            }
            add(Measures.kafkaSent, said.txmsgs - before.txmsgs)
            add(Measures.kafkaSentBytes, said.txmsg_bytes - before.txmsg_bytes)
            add(Measures.kafkaReceived, said.rxmsgs - before.rxmsgs)
            add(Measures.kafkaReceivedBytes, said.rxmsg_bytes - before.rxmsg_bytes)
            let was = before.byAddress
            for (broker, now) in said.byAddress {
                let was = was[broker] ?? Statistics.OfBroker()
                add(Measures.kafkaErrors, now.txerrs + now.rxerrs - was.txerrs - was.rxerrs, at: broker)
                add(Measures.kafkaRetries, now.txretries - was.txretries, at: broker)
                add(Measures.kafkaTimeouts, now.req_timeouts - was.req_timeouts, at: broker)
            }
            show(client, &state)
        }
    }

    private func made(_ measure: Measure, _ client: String, _ broker: String?) -> Counter {
        guard let broker else { return measure.counter(client, in: factory) }
        return measure.counter(client, broker, in: factory)
    }

    private func forget(_ id: ObjectIdentifier, _ client: String) {
        state.withLock { state in
            state.now[id] = nil
            show(client, &state)
        }
    }

    /// Sets the gauges of a kind of client; those that nobody speaks of any more are given up.
    private func show(_ client: String, _ state: inout State) {
        let all = state.now.values.filter { $0.client == client }.map(\.said)
        var values: [Key: (Measure, Double)] = [:]
        if !all.isEmpty {
            values[Key(measure: Measures.kafkaQueue.name, client: client)] =
                (Measures.kafkaQueue, Double(all.reduce(0) { $0 + $1.msg_cnt }))
            values[Key(measure: Measures.kafkaQueueBytes.name, client: client)] =
                (Measures.kafkaQueueBytes, Double(all.reduce(0) { $0 + $1.msg_size }))
        }
        for said in all {
            for (broker, now) in said.byAddress where now.rtt.cnt > 0 {
                let key = Key(measure: Measures.kafkaRoundTrip.name, client: client, broker: broker)
                let seconds = Double(now.rtt.avg) / 1e6
                values[key] = (Measures.kafkaRoundTrip, max(seconds, values[key]?.1 ?? 0))
            }
        }
        for (key, meter) in state.meters where key.client == client && values[key] == nil {
            meter.destroy()
            state.meters[key] = nil
        }
        for (key, (measure, value)) in values {
            let meter =
                state.meters[key]
                ?? (key.broker.map { measure.gauge(client, $0, in: factory) } ?? measure.gauge(client, in: factory))
            state.meters[key] = meter
            meter.set(value)
        }
    }
}

/// Of librdkafka's statistics what is of use; the names are its own (STATISTICS.md of librdkafka).
struct Statistics: Decodable, Sendable {
    /// Messages and bytes that wait to be sent.
    var msg_cnt: Int64 = 0
    var msg_size: Int64 = 0
    /// Messages and bytes sent and received.
    var txmsgs: Int64 = 0
    var txmsg_bytes: Int64 = 0
    var rxmsgs: Int64 = 0
    var rxmsg_bytes: Int64 = 0
    var brokers: [String: OfBroker] = [:]

    struct OfBroker: Decodable, Sendable {
        /// `host:port`; empty for a coordinator that is not known yet.
        var nodename = ""
        var txerrs: Int64 = 0
        var txretries: Int64 = 0
        var req_timeouts: Int64 = 0
        var rxerrs: Int64 = 0
        var rtt = RoundTrip()
    }

    /// In microseconds.
    struct RoundTrip: Decodable, Sendable {
        var avg: Int64 = 0
        var cnt: Int64 = 0
    }

    /// A broker has several connections: that which the client was told of, that of its number, that of a coordinator.
    var byAddress: [String: OfBroker] {
        brokers.values.reduce(into: [:]) { all, broker in
            if broker.nodename.isEmpty { return }
            guard var sum = all[broker.nodename] else { return all[broker.nodename] = broker }
            sum.txerrs += broker.txerrs
            sum.txretries += broker.txretries
            sum.req_timeouts += broker.req_timeouts
            sum.rxerrs += broker.rxerrs
            if broker.rtt.cnt > 0, broker.rtt.avg >= sum.rtt.avg { sum.rtt = broker.rtt }
            all[broker.nodename] = sum
        }
    }
}
