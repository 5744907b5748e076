import EventModel
import Testing

@Suite("The partitioner")
struct PartitionerTests {
    /// Apache Kafka, `UtilsTest.testMurmur2`.
    @Test(arguments: [
        ("21", Int32(-973_932_308)),
        ("foobar", -790_332_482),
        ("a-little-bit-long-string", -985_981_536),
        ("a-little-bit-longer-string", -1_486_304_829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
        ("abc", 479_470_107),
    ])
    func `hashes are those of Kafka's Java client`(key: String, hash: Int32) {
        #expect(Partitioner.murmur2(Bytes(key)) == UInt32(bitPattern: hash))
    }

    /// librdkafka, `rdmurmur2.c`: every length of a tail, and the empty key.
    @Test(arguments: [
        ("kafka", UInt32(0xd067_cf64)), ("giberish123456789", 0x8f55_2b0c), ("1234", 0x9fc9_7b14), ("234", 0xe7c0_09ca),
        ("34", 0x8739_30da), ("4", 0x5a4b_5ca1), ("", 0x106e_08d9),
    ])
    func `hashes are those of librdkafka`(key: String, hash: UInt32) {
        #expect(Partitioner.murmur2(Bytes(key)) == hash)
    }

    @Test func `bytes that are a part of others hash as they do alone`() {
        let whole = Array("xxkafkayyy".utf8)
        #expect(Partitioner.murmur2(Bytes(whole[2..<7])) == 0xd067_cf64)
    }

    @Test func `the sign bit is dropped, not the sign`() {
        // Kafka's toPositive(-973932308) is 1173551340.
        #expect(Partitioner.partition(of: "21", among: 1000) == 340)
        #expect(Partitioner.partition(of: "abc", among: 1000) == 107)
    }

    @Test func `one partition takes every key`() {
        for key in ["", "21", "abc"] { #expect(Partitioner.partition(of: Bytes(key), among: 1) == 0) }
    }

    @Test func `a topic's partition of a key is the partitioner's`() {
        let topic = Topic("t", partitions: 1000, key: "k", schema: "s", owner: "o")
        #expect(topic.partition(of: "21") == 340)
    }
}
