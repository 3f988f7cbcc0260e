package dev.doorbell.plan;

import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MsiControllerDescription;
import dev.doorbell.explain.Source;
import dev.doorbell.iommu.ReservedRegion;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.survey.Obstacle;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/// A function to be assigned, with everything about it that a plan depends on.
///
/// @param iommu the IOMMU in its path
/// @param controllers the MSI controllers its messages may go to, preferred first
/// @param obstacle what keeps processors' requests from it
/// @param msi its MSI capability, empty when it has none or it cannot be seen
/// @param msixVectors size of its MSI-X table; empty when it has none or it cannot be seen
/// @param capabilitiesSeen whether config space shows which of them it has
/// @param mates other functions of its group, and what makes them so
/// @param namesakes functions of other groups to which firmware gives its DeviceID, too
/// @param sharers functions of other groups to which firmware gives one of its StreamIDs, too
/// @param dmaBits address width of the path to memory, when firmware tells
/// @param reserved regions that its domain must respect: derived ones, then those that the captured kernel recorded
public record Subject(
    Sbdf sbdf,
    Optional<IommuDescription> iommu,
    List<MsiControllerDescription> controllers,
    Optional<Obstacle> obstacle,
    Optional<Msi> msi,
    OptionalInt msixVectors,
    boolean capabilitiesSeen,
    List<Mate> mates,
    List<Namesake> namesakes,
    List<StreamSharer> sharers,
    OptionalInt dmaBits,
    List<ReservedRegion> reserved,
    Source source) {

  /// An MSI capability.
  ///
  /// @param vectors 1 to 32
  /// @param address64 whether a message's address may lie above 4 GiB
  public record Msi(int vectors, boolean address64) {}

  /// Another function of the group.
  ///
  /// @param driver bound driver, when the capture shows it
  /// @param bridge whether it is a bridge or port, which does not harm viability
  /// @param assignable whether it could be assigned itself
  /// @param because why they share a group
  public record Mate(
      Sbdf sbdf, Optional<String> driver, boolean bridge, boolean assignable, String because) {}

  /// A function of another group with the same DeviceID.
  ///
  /// @param deviceId theirs
  /// @param controllers ids of the MSI controllers that it may send messages to
  /// @param driver bound driver, when the capture shows it
  /// @param assignable whether it could be assigned itself
  /// @param source where its DeviceID was read
  public record Namesake(
      Sbdf sbdf,
      int deviceId,
      List<String> controllers,
      Optional<String> driver,
      boolean assignable,
      Source source) {
    public Namesake {
      controllers = List.copyOf(controllers);
    }
  }

  /// A function of another group with a StreamID of this group.
  ///
  /// @param of the function of this group that has it, too
  /// @param source where its StreamID was read
  public record StreamSharer(Sbdf of, Sbdf sbdf, String iommu, int streamId, Source source) {}

  public Subject {
    sharers = List.copyOf(sharers);
    namesakes = List.copyOf(namesakes);
    controllers = List.copyOf(controllers);
    mates = List.copyOf(mates);
    reserved = List.copyOf(reserved);
  }

  /// {@return whether every message address must lie below 4 GiB}
  public boolean needsLowWindow() {
    return msixVectors.isEmpty() && msi.isPresent() && !msi.get().address64();
  }

  /// {@return vectors that the function could raise}
  public int advertised() {
    return msixVectors.orElseGet(() -> msi.map(Msi::vectors).orElse(0));
  }
}
