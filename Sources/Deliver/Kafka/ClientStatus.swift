internal import CRdkafka
internal import Synchronization

/// How much a broker's quota has held this client back.
public struct Throttling: Sendable, Hashable {
    /// The broker's name, as `host:port/number`.
    public var broker: String
    /// The longest that one answer was held back.
    public var longest: Duration
    /// How many answers were held back.
    public var answers: Int
}

/// What a client's events and librdkafka's threads last said about it.
final class ClientStatus: Sendable {
    private struct State {
        var statistics: String?
        var lastError: KafkaError?
        var refusing: Refusing?
        var fault: CertificateFault?
        var throttling: Throttling?
    }
    private let state = Mutex(State())
    private let onStatistics: (@Sendable (String) -> Void)?
    private let renewing = Mutex<(@Sendable () -> Void)?>(nil)

    /// - Parameter onStatistics: Told librdkafka's statistics as JSON whenever they come.
    init(onStatistics: (@Sendable (String) -> Void)? = nil) { self.onStatistics = onStatistics }

    /// Calls this whenever brokers refuse the user or the password.
    func onRefusedCredentials(_ renew: @escaping @Sendable () -> Void) { renewing.withLock { $0 = renew } }

    /// librdkafka tells the same error of a broker once in 30 s, however often it tries.
    private static let repeated = Duration.seconds(45)

    var statistics: String? { state.withLock(\.statistics) }
    var lastError: KafkaError? { state.withLock(\.lastError) }

    /// Why brokers take no connection of this client just now.
    var refusal: Refusing? {
        state.withLock { state in
            guard let refusing = state.refusing, .now - refusing.last < Self.repeated else { return nil }
            return refusing
        }
    }

    /// What there was of quotas since this was asked last.
    func takeThrottling() -> Throttling? { state.withLock { $0.throttling.take() } }

    func take(_ event: OpaquePointer) {
        switch rd_kafka_event_type(event) {
        case RD_KAFKA_EVENT_STATS:
            let statistics = rd_kafka_event_stats(event).map { String(cString: $0) }
            state.withLock { $0.statistics = statistics }
            if let statistics { onStatistics?(statistics) }
        case RD_KAFKA_EVENT_ERROR: take(KafkaError(event: event))
        default: break
        }
    }

    func take(_ error: KafkaError) {
        state.withLock { state in
            // That all are down says less than why each is.
            if error.code == .allBrokersDown, state.lastError != nil { return }
            state.lastError = error
            guard let refusal = BrokerRefusal(error, certificate: state.fault) else {
                // A broker that is not there now was on its way out before. That connections end says nothing new.
                let isAway = error.code == .unresolved || error.message.contains("Connect to")
                if isAway, state.refusing?.refusal.isCertain == false { state.refusing = nil }
                return
            }
            let now = ContinuousClock.now
            let since = state.refusing.flatMap { now - $0.last < Self.repeated ? $0.since : nil } ?? now
            state.refusing = Refusing(refusal: refusal, since: since, last: now)
        }
        if BrokerRefusal(error)?.reason == .credentials { renewing.withLock { $0 }?() }
    }

    /// The client and a broker understand each other.
    func heard() { state.withLock { ($0.refusing, $0.fault) = (nil, nil) } }

    fileprivate func found(_ fault: CertificateFault) { state.withLock { $0.fault = fault } }

    fileprivate func held(back broker: String, _ milliseconds: Int32) {
        if milliseconds <= 0 { return }
        state.withLock { state in
            var throttling = state.throttling ?? Throttling(broker: broker, longest: .zero, answers: 0)
            throttling.answers += 1
            if .milliseconds(milliseconds) > throttling.longest {
                (throttling.broker, throttling.longest) = (broker, .milliseconds(milliseconds))
            }
            state.throttling = throttling
        }
    }
}

extension ClientStatus {
    /// Has librdkafka tell this what comes as no event: quotas, and what is wrong with a broker's certificate.
    ///
    /// librdkafka keeps a bare pointer: who owns the client keeps this for as long.
    func listen(to conf: OpaquePointer) {
        rd_kafka_conf_set_opaque(conf, Unmanaged.passUnretained(self).toOpaque())
        rd_kafka_conf_set_throttle_cb(conf) { _, broker, _, milliseconds, opaque in
            ClientStatus.from(opaque)?.held(back: broker.map { String(cString: $0) } ?? "a broker", milliseconds)
        }
        // It changes no verdict. Without TLS in librdkafka it is not there, and is not needed.
        _ = rd_kafka_conf_set_ssl_cert_verify_cb(conf) { _, _, _, fault, _, _, _, _, _, opaque in
            guard let fault = fault?.pointee, fault != 0 else { return 1 }
            ClientStatus.from(opaque)?.found(CertificateFault(rawValue: Int32(fault)))
            return 0
        }
    }

    private static func from(_ opaque: UnsafeMutableRawPointer?) -> ClientStatus? {
        opaque.map { Unmanaged<ClientStatus>.fromOpaque($0).takeUnretainedValue() }
    }
}
