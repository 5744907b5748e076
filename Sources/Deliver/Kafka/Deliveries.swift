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
        var end: @Sendable (Outcome) -> Void

        func resume() { end(error.map { .failure($0) } ?? .success(written)) }
    }
    private struct State {
        var last: UInt32 = 0
        var pending: [UInt32: Pending] = [:]
    }
    private let state = Mutex(State())

    static func tag(_ batch: UInt32, _ index: Int) -> UInt { UInt(batch) << 32 | UInt(index) }

    /// Opens a batch; returns its number.
    ///
    /// - Parameter end: Called once, when the last report is in.
    func begin(_ count: Int, _ end: @escaping @Sendable (Outcome) -> Void) -> UInt32 {
        state.withLock { state in
            repeat { state.last &+= 1 } while state.last == 0 || state.pending[state.last] != nil
            state.pending[state.last] = Pending(
                written: Array(repeating: Written(partition: -1, offset: -1), count: count), left: count, end: end)
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
            // Reports of one batch mostly come together: it is taken out while they do, and changed in place.
            var (number, current): (UInt32, Pending?) = (0, nil)
            func putBack() {
                guard let batch = current.take() else { return }
                if batch.left == 0 { done.append(batch) } else { state.pending[number] = batch }
            }
            while let message = rd_kafka_event_message_next(event) {
                let tag = UInt(bitPattern: message.pointee._private)
                if UInt32(tag >> 32) != number {
                    putBack()
                    number = UInt32(tag >> 32)
                    current = state.pending.removeValue(forKey: number)
                }
                if message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR {
                    current?.written[Int(tag & 0xffff_ffff)] = Written(
                        partition: message.pointee.partition, offset: message.pointee.offset)
                } else if current?.error == nil {
                    current?.error = KafkaError(message.pointee.err)
                }
                current?.left -= 1
            }
            putBack()
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
