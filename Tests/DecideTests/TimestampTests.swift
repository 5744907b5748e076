import EventModel
import Testing

@Suite("Moments")
struct TimestampTests {
    @Test(arguments: [
        (Int64(0), Int64(0)), (1, 0), (999, 0), (1000, 1), (1_735_732_800_999, 1_735_732_800), (-1, -1), (-999, -1),
        (-1000, -1), (-1001, -2), (-2000, -2), (.max, 9_223_372_036_854_775), (.min, -9_223_372_036_854_776),
    ])
    func `seconds are rounded down, before 1970 too`(milliseconds: Int64, second: Int64) {
        #expect(Timestamp(milliseconds).second == second)
    }

    @Test func `durations are added in milliseconds`() {
        #expect(Timestamp(1000) + .milliseconds(1) == 1001)
        #expect(Timestamp(1000) - .seconds(2) == -1000)
        #expect(Timestamp(1000) + .microseconds(1999) == 1001)
        #expect(Duration.seconds(90).milliseconds == 90_000)
        #expect(Duration.milliseconds(-1500).milliseconds == -1500)
    }

    @Test func `partitions sort by topic and then by number`() {
        let sorted = [TopicPartition("a", 2), TopicPartition("a", 10), TopicPartition("b", 0)]
        #expect(sorted.reversed().sorted() == sorted)
        #expect(sorted[1].description == "a/10")
    }
}
