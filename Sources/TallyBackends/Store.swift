// SPDX-License-Identifier: Apache-2.0

package import TallyCore

/// A store as a process holds it: counts, checkpoints and banners in one place, until it is closed.
package protocol Store: CountStore, BannerStore {
    /// The days that have a sighting, sorted: whoever reads all of them does so day by day, since all at once may be too many.
    func daysWithSightings() async throws(StoreError) -> [Day]

    /// Lets go of what is open; every later call fails.
    func close() async throws(StoreError)
}
