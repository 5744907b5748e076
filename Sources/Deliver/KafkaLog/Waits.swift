internal import EventLog
internal import Kafka
internal import Synchronization

/// What a process waits for brokers for, and whom it tells: once that it waits and once that it goes on, however many of its
/// workers wait for the same.
final class Waits: Sendable {
    /// What is over sooner is not worth a word.
    static let quiet = Duration.seconds(2)

    private struct Wait {
        var waiting = 0
        var since = ContinuousClock.now
        var isTold = false
    }
    private let patience: Patience
    private let waits = Mutex<[String: Wait]>([:])

    init(_ patience: Patience) { self.patience = patience }

    func begin(_ what: String, since: ContinuousClock.Instant) {
        waits.withLock { waits in
            var wait = waits[what] ?? Wait(since: since)
            wait.waiting += 1
            waits[what] = wait
        }
    }

    /// Still waiting, because of this.
    func goOn(_ what: String, _ why: String) {
        let isNews = waits.withLock { waits in
            guard let wait = waits[what], !wait.isTold, .now - wait.since >= Self.quiet else { return false }
            waits[what]?.isTold = true
            return true
        }
        if isNews { patience.tell("waiting for \(what), for \(patience.limit.inWords) at most: \(why)") }
    }

    func end(_ what: String, well: Bool) {
        let told = waits.withLock { waits -> Wait? in
            guard var wait = waits[what] else { return nil }
            wait.waiting -= 1
            waits[what] = wait.waiting == 0 ? nil : wait
            return wait.waiting == 0 && wait.isTold ? wait : nil
        }
        if well, let told { patience.tell("going on after \((ContinuousClock.now - told.since).inWords): \(what)") }
    }
}

/// One wait of one caller's: from asking to the answer, or to the end of patience.
struct BrokerWait {
    private let log: KafkaLog
    private let what: String
    private let began: ContinuousClock.Instant
    private var isWaiting = false

    /// - Parameter what: As in: waiting for `what`.
    init(_ log: KafkaLog, for what: String, since began: ContinuousClock.Instant = .now) {
        (self.log, self.what, self.began) = (log, what, began)
    }

    /// Notes an error that may pass; throws it where the time is over.
    mutating func bear(_ error: LogError) throws(LogError) {
        if !isWaiting { log.waits.begin(what, since: began) }
        isWaiting = true
        let waited = ContinuousClock.now - began
        if waited >= log.patience.limit {
            var error = error
            error.waited = waited
            if error.kind != .refused { error.kind = .unreachable }
            end(well: false)
            throw error
        }
        log.waits.goOn(what, error.message)
    }

    /// It has come to an end.
    mutating func end(well: Bool = true) {
        if isWaiting { log.waits.end(what, well: well) }
        isWaiting = false
    }

    /// How long one call may take. Those who ask once have nobody behind them; of many workers each waits for the one before.
    var look: Duration {
        if log.patience.limit <= log.admin.limit { return log.admin.limit }
        return max(.seconds(2), (ContinuousClock.now - began) / 2)
    }

    /// What to wait until the next call: the longer it lasts the longer.
    var pause: Duration {
        if !isWaiting { return KafkaLog.pause }
        return min(max(KafkaLog.pause, (ContinuousClock.now - began) / 10), .milliseconds(500))
    }
}
