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

    @Test func `a time is written as Foundation and messages write it, and read as it was`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededRandom(seed)
        let days = [
            -141_427, -141_428, -577_736, 0, 1, 58, 59, 60, 365, 366, 11_016, 11_017, 10_956, 10_957, -1, -141_000,
            -719_162, 2_932_896,
        ].map { Int64($0) }
        let moments = days.flatMap { [$0 * 86_400_000, $0 * 86_400_000 + 86_399_999] }
        for milliseconds in moments
            + (0..<20_000).map({ _ in
                Int64.random(in: -62_135_596_800_000...253_402_300_799_999, using: &random)
            })
        {
            let time = Timestamp(milliseconds)
            let text = time.rfc3339
            #expect(Timestamp(rfc3339: text) == time, "\(text), seed \(seed)")
            let message = try Google_Protobuf_Timestamp(jsonString: "\"\(text)\"")
            #expect(Timestamp(message) == time, "\(text), seed \(seed)")
            // Before, Foundation goes by the Julian calendar.
            guard milliseconds >= -12_219_292_800_000 else { continue }
            let whole = Date(timeIntervalSince1970: Double(time.second)).formatted(Date.ISO8601FormatStyle())
            #expect(text.prefix(19) == whole.prefix(19), "\(text), seed \(seed)")
        }
    }

    @Test(arguments: [
        ("2026-12-24T19:30:00+01:00", "2026-12-24T18:30:00Z"), ("2026-12-24t19:30:00.5z", "2026-12-24T19:30:00.500Z"),
        ("2026-12-24T19:30:00.1234567-0530", "2026-12-25T01:00:00.123Z"),
        ("2026-12-24T19:30:00.9996Z", "2026-12-24T19:30:01Z"), ("2024-02-29T00:00:00+14", "2024-02-28T10:00:00Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"), ("2015-07-01T01:59:60+02:00", "2015-07-01T00:00:00Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"), ("1500-02-28T00:00:00Z", "1500-02-28T00:00:00Z"),
    ])
    func `a time is read in every way that RFC 3339 has`(_ text: String, _ shown: String) {
        #expect(Timestamp(rfc3339: text)?.rfc3339 == shown)
    }

    @Test(arguments: [
        "", "2026-12-24", "2026-12-24T19:30:00", "2026-12-24T19:30Z", "2026-02-30T00:00:00Z", "2025-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z", "2026-01-01T00:00:61Z", "2026-01-01T12:00:60Z", "2026-03-01T00:00:60Z",
        "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00+01:60", "0000-01-01T00:00:00Z",
        "2026-01-01T00:00:00Z ", " 2026-01-01T00:00:00Z", "2026-01-01T00:00:00ZZ", "+2026-01-01T00:00:00Z",
        "２０２６-01-01T00:00:00Z", "1500-02-29T00:00:00Z",
    ])
    func `what is no moment of RFC 3339 is none`(_ text: String) { #expect(Timestamp(rfc3339: text) == nil) }

    @Test func `partitions sort by topic and then by number`() {
        let sorted = [TopicPartition("a", 2), TopicPartition("a", 10), TopicPartition("b", 0)]
        #expect(sorted.reversed().sorted() == sorted)
        #expect(sorted[1].description == "a/10")
    }
}
