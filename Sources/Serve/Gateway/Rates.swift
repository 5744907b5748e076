internal import Synchronization

/// A token bucket: how many requests may be made at once, and how fast more come.
package struct TokenBucket: Sendable {
    private let rate: Double
    private let size: Double
    private var tokens: Double
    private var filled: ContinuousClock.Instant

    /// - Parameters:
    ///   - rate: Tokens a second.
    ///   - size: The most that there are.
    package init(rate: Double, size: Double, at now: ContinuousClock.Instant) {
        (self.rate, self.size, tokens, filled) = (rate, size, size, now)
    }

    /// Takes a token.
    ///
    /// - Returns: nil where there was one; else after how long there will be.
    package mutating func take(at now: ContinuousClock.Instant) -> Duration? {
        fill(at: now)
        if tokens >= 1 {
            tokens -= 1
            return nil
        }
        return .seconds((1 - tokens) / rate)
    }

    /// Takes back a token, of a request that is counted anew.
    package mutating func giveBack() { tokens = min(size, tokens + 1) }

    /// Whether nobody would miss it: it is as full as a new one.
    package mutating func isFull(at now: ContinuousClock.Instant) -> Bool {
        fill(at: now)
        return tokens >= size
    }

    private mutating func fill(at now: ContinuousClock.Instant) {
        tokens = min(size, tokens + max(0, (now - filled) / .seconds(1)) * rate)
        filled = max(filled, now)
    }
}

/// The buckets of some addresses, or of some subjects.
final class Rates: Sendable {
    /// The bucket of one of them, which its connections keep at hand.
    final class Bucket: Sendable {
        private let state: Mutex<(bucket: TokenBucket, isForgotten: Bool)>

        fileprivate init(_ bucket: TokenBucket) { state = Mutex((bucket, false)) }

        /// - Returns: nil where it counts no more, for another has been begun in its place; else what there is to wait.
        fileprivate func take(at now: ContinuousClock.Instant) -> Duration?? {
            state.withLock { $0.isForgotten ? nil : .some($0.bucket.take(at: now)) }
        }
        fileprivate func giveBack() { state.withLock { $0.bucket.giveBack() } }
        fileprivate func isFull(at now: ContinuousClock.Instant) -> Bool {
            state.withLock { $0.bucket.isFull(at: now) }
        }
        fileprivate func forget() { state.withLock { $0.isForgotten = true } }
    }
    private let rate: Double
    private let size: Double
    private let buckets = Mutex<[String: Bucket]>([:])

    init(rate: Double) { (self.rate, size) = (rate, max(1, rate * GatewayLimits.burst)) }

    /// - Throws: ``Problem``, with after how long to come again, where one who asks has made too many requests.
    func check(_ who: String) throws(Problem) {
        guard let wait = take(who) else { return }
        throw Problem(
            .tooManyRequests, "\(who) has made over \(Int(rate)) requests a second; come again later", retryAfter: wait)
    }

    /// Takes back what a request has taken that is counted anew.
    func giveBack(_ who: String) { buckets.withLock { $0[who] }?.giveBack() }

    /// - Returns: nil where an address may make a request now; else after how long it may.
    func take(_ address: String, at now: ContinuousClock.Instant = .now) -> Duration? {
        var bucket: Bucket?
        return take(address, at: now, keeping: &bucket)
    }

    /// The same of one who keeps the bucket at hand.
    ///
    /// - Parameter kept: The bucket that was taken from last, nil at first.
    func take(_ address: String, at now: ContinuousClock.Instant, keeping kept: inout Bucket?) -> Duration? {
        while true {
            let bucket = kept ?? bucket(of: address, at: now)
            kept = bucket
            if let answer = bucket.take(at: now) { return answer }
            kept = nil
        }
    }

    private func bucket(of address: String, at now: ContinuousClock.Instant) -> Bucket {
        buckets.withLock { buckets in
            if let bucket = buckets[address] { return bucket }
            if buckets.count >= GatewayLimits.addresses {
                for (other, bucket) in buckets where bucket.isFull(at: now) { Self.forget(other, of: &buckets) }
                // Everybody is busy: then all begin anew, rather than that one is forgotten in favour of another.
                if buckets.count >= GatewayLimits.addresses {
                    for other in Array(buckets.keys) { Self.forget(other, of: &buckets) }
                }
            }
            let bucket = Bucket(TokenBucket(rate: rate, size: size, at: now))
            buckets[address] = bucket
            return bucket
        }
    }

    private static func forget(_ address: String, of buckets: inout [String: Bucket]) {
        buckets.removeValue(forKey: address)?.forget()
    }
}

/// So many of a kind at once for each of those who ask.
final class SlotsOfEach: Sendable {
    /// One that is taken, until it is let go.
    final class Slot: Sendable {
        private let slots: SlotsOfEach
        private let name: String
        fileprivate init(_ slots: SlotsOfEach, _ name: String) { (self.slots, self.name) = (slots, name) }
        deinit { slots.free(name) }
    }
    private let limit: Int
    private let used = Mutex<[String: Int]>([:])

    init(_ limit: Int) { self.limit = limit }

    /// - Returns: nil where all of this one are taken.
    func take(_ name: String) -> Slot? {
        let isFree = used.withLock { used in
            if used[name, default: 0] >= limit { return false }
            used[name, default: 0] += 1
            return true
        }
        return isFree ? Slot(self, name) : nil
    }

    private func free(_ name: String) {
        used.withLock { used in
            let left = (used[name] ?? 0) - 1
            used[name] = left > 0 ? left : nil
        }
    }

    /// Of how many one has taken any.
    var count: Int { used.withLock { $0.count } }
}

/// What is made once, when it is first asked for.
final class Once<Value: Sendable>: Sendable {
    private let made = Mutex<Value?>(nil)

    func value(_ make: () -> Value) -> Value {
        made.withLock { made in
            let value = made ?? make()
            made = value
            return value
        }
    }
}

/// So many of a kind at once.
final class Slots: Sendable {
    /// One that is taken, until it is let go.
    final class Slot: Sendable {
        private let slots: Slots
        fileprivate init(_ slots: Slots) { self.slots = slots }
        deinit { slots.used.withLock { $0 -= 1 } }
    }
    private let limit: Int
    private let used = Mutex(0)

    init(_ limit: Int) { self.limit = limit }

    /// - Returns: nil where all are taken.
    func take() -> Slot? {
        let isFree = used.withLock { used in
            if used >= limit { return false }
            used += 1
            return true
        }
        return isFree ? Slot(self) : nil
    }

    var count: Int { used.withLock { $0 } }
}
