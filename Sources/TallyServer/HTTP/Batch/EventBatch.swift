// SPDX-License-Identifier: Apache-2.0

import TallyCore

/// The events of one body, let in or rejected one by one. Those that are alike are summed as they come: of a thousand clicks
/// of a hundred banners, a hundred entries are left.
struct EventBatch {
    /// Where an event stands in the body.
    enum Place: Equatable {
        /// From 1.
        case line(Int)
        /// From 0.
        case index(Int)
    }

    struct Rejected: Equatable {
        let place: Place
        let error: String
    }

    /// As many bad events are named; the others are counted.
    static let mostNamed = 100

    private(set) var accepted: AdmittedEvents
    /// The first `mostNamed`.
    private(set) var rejected: [Rejected] = []
    /// All rejected events, by the label of the metric.
    private(set) var refusals: [String: Int] = [:]
    /// The first rejection that is no fault of the event: all of the body has to be sent again.
    private(set) var temporary: EventRejection?

    private let service: any CountingService
    private var kinds = KindWords()
    private var sums = BatchSums()
    /// What was decided for an event holds for those that are alike, as long as the clock shows this minute.
    private var present: Minute?

    var rejectedCount: Int { refusals.values.reduce(0, +) }

    init(backfill: Bool, service: any CountingService) {
        accepted = AdmittedEvents(backfill: backfill)
        self.service = service
    }

    /// More of the body has arrived: the clock is read once for all of it.
    mutating func beginPart() {
        let minute = Minute(service.now)
        if minute == present { return }
        present = minute
        sums.removeAll()
    }

    /// - Returns: false when the event has to be read by `JSONReader`, which says what is wrong with it.
    mutating func add(_ event: ScannedEvent, at place: Place) -> Bool {
        guard let kind = kinds.number(of: event.kind) else { return false }
        let minute = event.time.map { Minute($0) }
        let slot = sums.slot(banner: event.banner.value, kind: kind, minute: minute)
        if event.id == nil, let entry = sums[slot], accepted.add(event.count, toEntry: entry) { return true }
        let input = EventInput(
            banner: event.banner, kind: kinds[kind], time: event.time, count: event.count, id: event.id)
        do throws(EventRejection) {
            try service.admit(input, to: &accepted)
            if event.id == nil { sums[slot] = accepted.events.count - 1 }
        } catch {
            reject(place, error)
        }
        return true
    }

    mutating func add(at place: Place, value: () throws(JSONError) -> JSONValue) {
        do {
            try service.admit(EventInput(json: try value()), to: &accepted)
        } catch let error as EventRejection {
            reject(place, error)
        } catch let error as BadRequest {
            reject(place, error.detail, error.reason)
        } catch {
            reject(place, "\(error)", "bad_json")
        }
    }

    private mutating func reject(_ place: Place, _ error: EventRejection) {
        if error.isTemporary { temporary = temporary ?? error }
        reject(place, "\(error)", error.reason)
    }

    private mutating func reject(_ place: Place, _ error: String, _ reason: String) {
        refusals[reason, default: 0] += 1
        if rejected.count < EventBatch.mostNamed { rejected.append(Rejected(place: place, error: error)) }
    }
}

extension EventBatch.Rejected {
    func write(to json: inout JSONWriter) {
        switch place {
        case .line(let number): json.member("line", number)
        case .index(let index): json.member("index", index)
        }
        json.member("error", error)
    }
}
