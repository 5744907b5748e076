import EventModel
import Foundation
import SwiftProtobuf
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

    @Test func `no sum or difference goes beyond the first and the last time`() {
        let (first, last) = (Timestamp(.min), Timestamp(.max))
        #expect(last + .milliseconds(1) == last && first - .milliseconds(1) == first)
        #expect(last - .milliseconds(-5) == last && first + .milliseconds(-5) == first)
        #expect(first + .milliseconds(Int64.max) == -1 && last - .milliseconds(Int64.max) == 0)
        #expect(Timestamp(0) + .seconds(Int64.max) == last && Timestamp(-2) - .seconds(Int64.max) == first)
        #expect(Duration.seconds(Int64.max).milliseconds == .max && Duration.seconds(Int64.min).milliseconds == .min)
        #expect(last.milliseconds(since: first) == .max && first.milliseconds(since: last) == .min)
        #expect(Timestamp(7).milliseconds(since: 9) == -2)
    }

    @Test(arguments: [
        (Int64.max, "9223372036854775807"), (.min, "-9223372036854775808"), (253_402_300_800_000, "253402300800000"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"), (-11_676_096_000_000, "1600-01-01T00:00:00Z"),
        (-62_135_596_800_001, "-62135596800001"), (-1, "1969-12-31T23:59:59.999Z"), (5, "1970-01-01T00:00:00.005Z"),
    ])
    func `every time can be written, and taken for a message's`(milliseconds: Int64, text: String) {
        let time = Timestamp(milliseconds)
        #expect(time.rfc3339 == text)
        #expect((0..<1000).contains(time.millisecond))
        #expect(abs(Timestamp(time.proto).milliseconds(since: time)) < 1000)
        if Timestamp.calendar.contains(time) { #expect(Timestamp(time.proto) == time) }
        #expect(Timestamp(.with { ($0.seconds, $0.nanos) = (.max, .max) }) == Timestamp(.max))
        #expect(Timestamp(.with { ($0.seconds, $0.nanos) = (.min, .min) }) == Timestamp(.min))
    }

    @Test func `a time is written as Foundation writes it, and read as it was`() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededRandom(seed)
        let days = [
            -141_427, -141_428, -577_736, 0, 1, 58, 59, 60, 365, 366, 11_016, 11_017, 10_956, 10_957, -1, -141_000,
        ].map { Int64($0) }
        let moments = days.flatMap { [$0 * 86_400_000, $0 * 86_400_000 + 86_399_999] }
        for milliseconds in moments
            + (0..<20_000).map({ _ in
                Int64.random(in: -62_135_596_800_000...253_402_300_799_999, using: &random)
            })
        {
            let time = Timestamp(milliseconds)
            let date = Date(timeIntervalSince1970: Double(time.second))
            let whole = date.formatted(Date.ISO8601FormatStyle())
            let text = time.rfc3339
            #expect(text.prefix(19) == whole.prefix(19) && Timestamp(rfc3339: text) == time, "\(text), seed \(seed)")
        }
    }

    @Test func `partitions sort by topic and then by number`() {
        let sorted = [TopicPartition("a", 2), TopicPartition("a", 10), TopicPartition("b", 0)]
        #expect(sorted.reversed().sorted() == sorted)
        #expect(sorted[1].description == "a/10")
    }
}
