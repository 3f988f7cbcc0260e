package dev.doorbell.hw.pcie;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// What an endpoint that is made for a model looks like.
///
/// @param classCode base class, sub-class and programming interface as 24 bits
/// @param integrated whether it is a root complex integrated endpoint
/// @param flr whether it can be reset by Initiate Function Level Reset
public record EndpointSpec(
    int vendor,
    int device,
    int classCode,
    boolean integrated,
    boolean multiFunction,
    boolean flr,
    List<Bar> bars,
    Optional<Msi> msi,
    Optional<Msix> msix,
    Optional<Sriov> sriov) {

  /// A memory BAR.
  ///
  /// @param index register 0 to 5; a 64-bit one takes the next as well
  /// @param bytes power of two, from 16
  public record Bar(int index, long bytes, boolean wide, boolean prefetchable) {
    public Bar {
      int last = wide ? index + 1 : index;
      if (index < 0 || last > 5 || bytes < 16 || Long.bitCount(bytes) != 1) {
        throw new IllegalArgumentException(
            "BAR %d of 0x%x bytes cannot be".formatted(index, bytes));
      }
    }
  }

  /// An MSI capability.
  ///
  /// @param vectors 1 to 32, a power of two
  public record Msi(int vectors, boolean address64, boolean maskable) {
    public Msi {
      if (vectors < 1 || vectors > 32 || Integer.bitCount(vectors) != 1) {
        throw new IllegalArgumentException(
            "MSI has 1 to 32 vectors, a power of two, not " + vectors);
      }
    }
  }

  /// An MSI-X capability, its table and pending bits in one BAR.
  ///
  /// @param vectors 1 to 2048
  /// @param tableOffset multiple of 8
  /// @param pbaOffset multiple of 8
  public record Msix(int vectors, int bar, long tableOffset, long pbaOffset) {
    public Msix {
      if (vectors < 1 || vectors > 2048 || ((tableOffset | pbaOffset) & 7) != 0) {
        throw new IllegalArgumentException(
            "MSI-X of %d vectors, table at 0x%x, pending bits at 0x%x cannot be"
                .formatted(vectors, tableOffset, pbaOffset));
      }
    }
  }

  /// An SR-IOV capability. Its registers are there; enabling VFs makes none.
  ///
  /// @param totalVfs 1 to 65535
  /// @param firstOffset First VF Offset
  /// @param stride VF Stride
  /// @param bars BARs of each VF
  public record Sriov(int totalVfs, int firstOffset, int stride, List<Bar> bars) {
    public Sriov {
      bars = List.copyOf(bars);
      if (totalVfs < 1 || totalVfs > 0xffff || firstOffset < 1 || stride < 1) {
        throw new IllegalArgumentException(
            "SR-IOV of %d VFs, the first %d and each next %d further, cannot be"
                .formatted(totalVfs, firstOffset, stride));
      }
    }
  }

  public EndpointSpec {
    bars = List.copyOf(bars);
  }

  /// An endpoint without SR-IOV.
  public EndpointSpec(
      int vendor,
      int device,
      int classCode,
      boolean integrated,
      boolean multiFunction,
      boolean flr,
      List<Bar> bars,
      Optional<Msi> msi,
      Optional<Msix> msix) {
    this(
        vendor,
        device,
        classCode,
        integrated,
        multiFunction,
        flr,
        bars,
        msi,
        msix,
        Optional.empty());
  }

  /// {@return the same with SR-IOV}
  public EndpointSpec with(Sriov capability) {
    return new EndpointSpec(
        vendor,
        device,
        classCode,
        integrated,
        multiFunction,
        flr,
        bars,
        msi,
        msix,
        Optional.of(capability));
  }

  /// {@return the endpoint of the examples: registers of {@link DemoLayout} in BAR 0, MSI-X in BAR 2}
  ///
  /// @param vectors MSI-X vectors, 1 to 2048
  public static EndpointSpec demo(int vectors) {
    List<Bar> bars = new ArrayList<>();
    bars.add(new Bar(0, 0x1000, true, false));
    bars.add(new Bar(2, 0x10000, true, false));
    return new EndpointSpec(
        DemoLayout.VENDOR,
        DemoLayout.DEVICE,
        0xff0000,
        false,
        false,
        true,
        bars,
        Optional.empty(),
        Optional.of(new Msix(vectors, 2, 0, 0x8000)));
  }

  /// {@return the same with MSI instead of MSI-X}
  public static EndpointSpec demoMsi(Msi msi) {
    EndpointSpec demo = demo(1);
    return new EndpointSpec(
        demo.vendor,
        demo.device,
        demo.classCode,
        false,
        false,
        true,
        demo.bars,
        Optional.of(msi),
        Optional.empty());
  }
}
