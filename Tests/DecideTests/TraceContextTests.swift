import EventModel
import Testing

@Suite("A trace's context")
struct TraceContextTests {
    private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    private static let good = "00-\(trace)-00f067aa0ba902b7-01"

    @Test func `is read and written as W3C has it`() throws {
        let context = try #require(TraceContext(Self.good))
        #expect(context.traceID == Self.trace && context.parentID == "00f067aa0ba902b7" && context.flags == 1)
        #expect(context.description == Self.good)
        #expect(try #require(TraceContext("00-\(Self.trace)-00f067aa0ba902b7-00")).flags == 0)
    }

    @Test func `of a later version is read as far as it is known, and written as this one`() throws {
        for later in ["cc-\(Self.trace)-00f067aa0ba902b7-01", "cc-\(Self.trace)-00f067aa0ba902b7-01-what-is-new"] {
            #expect(TraceContext(later)?.description == Self.good, "\(later)")
        }
        // Flags that this version does not know are not passed on.
        #expect(TraceContext("00-\(Self.trace)-00f067aa0ba902b7-ff")?.description == Self.good)
    }

    @Test(arguments: [
        "", "00", "hello", "ff-\(trace)-00f067aa0ba902b7-01", "00-\(trace)-00f067aa0ba902b7",
        "00-\(trace)-00f067aa0ba902b7-1", "00-\(trace)-00f067aa0ba902b7-01-more", "00-\(trace)-00f067aa0ba902b7-01 ",
        " 00-\(trace)-00f067aa0ba902b7-01", "00-\(trace.uppercased())-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01", "00-\(trace)-0000000000000000-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01", "00_\(trace)_00f067aa0ba902b7_01",
        "0g-\(trace)-00f067aa0ba902b7-01", "00-\(trace)-00f067aa0ba902b7-0x", "cc-\(trace)-00f067aa0ba902b7-01.more",
        "00-4bf92f3577b34da6a3ce929d0e0e473é-00f067aa0ba902b7-01",
    ])
    func `that is malformed is none`(_ text: String) {
        #expect(TraceContext(text) == nil)
        let header = Header(HeaderName.trace, Bytes(text))
        #expect(Record(offset: 0, timestamp: 0, key: "", value: "", headers: [header]).trace == nil)
    }

    @Test func `goes with a command to its record, and is no header where there is none`() {
        var command = EncodedCommand(type: "T", key: "k", value: "v", id: "i")
        #expect(!command.record(now: 0).headers.contains { $0.name == HeaderName.trace })
        command.trace = TraceContext(Self.good)
        #expect(command.record(now: 0).headers.last == Header("traceparent", Bytes(Self.good)))
        #expect(Record(offset: 0, timestamp: 0, key: "", value: "").trace == nil)
    }
}
