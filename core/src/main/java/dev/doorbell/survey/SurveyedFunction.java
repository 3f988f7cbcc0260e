package dev.doorbell.survey;

import dev.doorbell.description.FunctionDescription;
import dev.doorbell.explain.Source;
import dev.doorbell.pci.PciFunction;
import dev.doorbell.pci.Sbdf;
import java.util.List;
import java.util.Optional;

/// One function and its identities.
///
/// @param requesterId what the root complex sees of its writes: its own id, or that of the bridge that speaks for it
/// @param streams its identities at IOMMUs, one for each requester id that its writes may carry; empty when no IOMMU is in its path
/// @param msi its identity at the MSI controllers; empty when firmware names none
public record SurveyedFunction(
    FunctionDescription description,
    PciFunction pci,
    int requesterId,
    List<Stream> streams,
    Optional<MsiPath> msi) {

  /// An identity at an IOMMU.
  ///
  /// @param iommu id of the IOMMU
  /// @param streamId as the IOMMU compares it ({@link dev.doorbell.description.IommuDescription#compared})
  /// @param requesterId the requester id it comes from
  /// @param because whose id that is
  public record Stream(
      String iommu, int streamId, int requesterId, String because, Source source) {}

  /// An identity at MSI controllers.
  ///
  /// @param controllers ids, preferred first
  public record MsiPath(List<String> controllers, int deviceId, Source source) {
    public MsiPath {
      controllers = List.copyOf(controllers);
    }
  }

  public SurveyedFunction {
    streams = List.copyOf(streams);
  }

  public Sbdf sbdf() {
    return description.sbdf();
  }

  /// {@return the stream that its requester id at the root complex maps to}
  public Optional<Stream> stream() {
    return streams.stream().filter(s -> s.requesterId() == requesterId).findFirst();
  }
}
