import EventModel
import Testing

@Suite("The partition a key belongs into")
struct KeyedPartitionTests {
    @Test func `is one of its topic's, and the others name it`() {
        for (key, count) in [("o1", 4), ("e1:s", 4), ("ann", 1), ("site#3", 12), ("fd7af248-ce5c", 32)] {
            let right = Partitioner.partition(of: Bytes(key), among: count)
            for partition in (0..<count).map({ Partition($0) }) {
                let home = KeyedPartition(TopicPartition("t", partition), among: count)
                #expect(home.other(for: Bytes(key)) == (partition == right ? nil : right))
            }
        }
    }

    @Test func `is none where there is no key`() {
        for partition in (0..<4).map({ Partition($0) }) {
            #expect(KeyedPartition(TopicPartition("t", partition), among: 4).other(for: Bytes()) == nil)
        }
    }
}
