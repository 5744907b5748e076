/// Which partition a key belongs to: Kafka's default for Java clients, `murmur2_random` in librdkafka.
///
/// The hash is MurmurHash2 with seed 0x9747b28c as in `org.apache.kafka.common.utils.Utils.murmur2`.
public enum Partitioner {
    /// The partition of a key, as Kafka's own Java client chooses it (`DefaultPartitioner`): murmur2 without its sign,
    /// modulo the count.
    public static func partition(of key: Bytes, among count: Int) -> Partition {
        Partition(Int(murmur2(key) & 0x7fff_ffff) % count)
    }

    /// MurmurHash2 by Austin Appleby, with Kafka's seed (`org.apache.kafka.common.utils.Utils.murmur2`).
    public static func murmur2(_ key: Bytes) -> UInt32 {
        let m: UInt32 = 0x5bd1_e995
        return key.withUnsafeBytes { bytes in
            let length = bytes.count
            var h: UInt32 = 0x9747_b28c ^ UInt32(truncatingIfNeeded: length)
            var i = 0
            while i + 4 <= length {
                var k = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: i, as: UInt32.self))
                k = k &* m
                k ^= k >> 24
                k = k &* m
                h = (h &* m) ^ k
                i += 4
            }
            let rest = length - i
            if rest >= 3 { h ^= UInt32(bytes[i + 2]) << 16 }
            if rest >= 2 { h ^= UInt32(bytes[i + 1]) << 8 }
            if rest >= 1 {
                h ^= UInt32(bytes[i])
                h = h &* m
            }
            h ^= h >> 13
            h = h &* m
            return h ^ (h >> 15)
        }
    }
}
