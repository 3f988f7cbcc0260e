package dev.doorbell.hw.pcie;

import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.DmaPort;
import dev.doorbell.bus.MmioDevice;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.Sbdf;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A root complex: its root bus, its ECAM, and the windows through which CPUs reach BARs. Safe for use from many threads.
///
/// **Source**: PCI Express Base 6.0, 7.2.2 (ECAM), 7.3.1 to 7.3.3 (routing of configuration requests).
public final class RootComplexModel {
  private final int segment;
  private final int firstBus;
  private final int lastBus;
  private final DmaPort upstream;
  private final boolean peerToPeer;
  private final BusModel root;

  /// @param firstBus number of the root bus
  /// @param lastBus last bus number that the root complex owns
  /// @param upstream where requests go: the IOMMU, then memory and MSI controllers
  /// @param peerToPeer whether requests of a root port without ACS P2P Request Redirect reach peers on the root bus past the IOMMU
  public RootComplexModel(
      int segment, int firstBus, int lastBus, DmaPort upstream, boolean peerToPeer) {
    this.segment = segment;
    this.firstBus = firstBus;
    this.lastBus = lastBus;
    this.upstream = upstream;
    this.peerToPeer = peerToPeer;
    this.root = new BusModel(new Top());
  }

  /// {@return the root bus}
  public BusModel root() {
    return root;
  }

  public int segment() {
    return segment;
  }

  /// {@return the function that answers configuration requests to an address at the moment}
  public Optional<FunctionModel> function(int bus, int device, int function) {
    return bus < firstBus || bus > lastBus
        ? Optional.empty()
        : root.route(bus, new Sbdf(segment, bus, device, function).requesterId() & 0xff, false);
  }

  /// {@return a function's live configuration space; all ones and deaf to writes where nothing answers}
  public ConfigSpace config(Sbdf sbdf) {
    return function(sbdf.bus(), sbdf.device(), sbdf.function())
        .map(FunctionModel::config)
        .orElse(NoFunction.INSTANCE);
  }

  /// {@return the ECAM window; its first byte is the root bus's}
  public MmioDevice ecam() {
    return new EcamModel(this, firstBus);
  }

  /// {@return a window through which CPUs reach BARs}
  ///
  /// @param pciStart the PCI address of its first byte
  public MmioDevice window(long pciStart) {
    return new MmioDevice() {
      @Override
      public BusRead read(long offset, int bytes) {
        return root.readDown(pciStart + offset, bytes);
      }

      @Override
      public BusOutcome write(long offset, long value, int bytes, int requester) {
        return root.writeDown(pciStart + offset, value, bytes);
      }
    };
  }

  /// Resets everything below, as a conventional reset of the hierarchy does.
  public void reset() {
    root.resetAll();
  }

  private final class Top implements BusModel.Above {
    @Override
    public int busNumber() {
      return firstBus;
    }

    @Override
    public boolean peersDecode(FunctionModel from, long address) {
      return peerToPeer && !(from instanceof BridgeModel port && port.redirects());
    }

    @Override
    public MessageWays.@Nullable Way wayUp(int requesterId, long address, long state) {
      return new MessageWays.Way(state, address, requesterId, upstream);
    }

    @Override
    public BusOutcome writeUp(int requesterId, long address, long value, int bytes) {
      return upstream.write(requesterId, address, value, bytes);
    }

    @Override
    public BusRead readUp(int requesterId, long address, int bytes) {
      return upstream.read(requesterId, address, bytes);
    }
  }
}
