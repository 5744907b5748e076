internal import CRdkafka
internal import Synchronization

/// The batches whose delivery reports are still to come.
///
/// librdkafka carries a tag with each message: its batch's number in the upper half, its place in the batch in the lower.
/// No pointer of ours passes through C.
final class Deliveries: Sendable {
    typealias Outcome = Result<[Written], KafkaError>

    private struct Pending {
        var written: [Written]
        var left: Int
        var error: KafkaError?
        var continuation: CheckedContinuation<Outcome, Never>

        func resume() {
            continuation.resume(returning: error.map { .failure($0) } ?? .success(written))
        }
    }
    private struct State {
        var last: UInt32 = 0
        var pending: [UInt32: Pending] = [:]
    }
    private let state = Mutex(State())

    static func tag(_ batch: UInt32, _ index: Int) -> UInt { UInt(batch) << 32 | UInt(index) }

    /// Opens a batch; returns its number.
    func begin(_ count: Int, _ continuation: CheckedContinuation<Outcome, Never>) -> UInt32 {
        state.withLock { state in
            repeat { state.last &+= 1 } while state.last == 0 || state.pending[state.last] != nil
            state.pending[state.last] = Pending(
                written: Array(repeating: Written(partition: -1, offset: -1), count: count), left: count,
                continuation: continuation)
            return state.last
        }
    }

    /// Says that the last `count` messages of a batch were not even queued.
    func give(up batch: UInt32, count: Int, _ error: KafkaError) {
        let done = state.withLock { state -> Pending? in
            state.pending[batch]?.left -= count
            if state.pending[batch]?.error == nil { state.pending[batch]?.error = error }
            return state.pending[batch]?.left == 0 ? state.pending.removeValue(forKey: batch) : nil
        }
        done?.resume()
    }

    /// Takes in the reports of one event.
    func report(_ event: OpaquePointer) {
        let done = state.withLock { state -> [Pending] in
            var done: [Pending] = []
            while let message = rd_kafka_event_message_next(event) {
                let tag = UInt(bitPattern: message.pointee._private)
                let batch = UInt32(tag >> 32)
                guard let slot = state.pending.index(forKey: batch) else { continue }
                if message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR {
                    state.pending.values[slot].written[Int(tag & 0xffff_ffff)] = Written(
                        partition: message.pointee.partition, offset: message.pointee.offset)
                } else if state.pending.values[slot].error == nil {
                    state.pending.values[slot].error = KafkaError(message.pointee.err)
                }
                state.pending.values[slot].left -= 1
                if state.pending.values[slot].left == 0 { done.append(state.pending.remove(at: slot).value) }
            }
            return done
        }
        for batch in done { batch.resume() }
    }

    /// Lets everybody go who still waits.
    func close() {
        let rest = state.withLock { state in
            defer { state.pending = [:] }
            return Array(state.pending.values)
        }
        for var batch in rest {
            batch.error = batch.error ?? .closed
            batch.resume()
        }
    }
}
