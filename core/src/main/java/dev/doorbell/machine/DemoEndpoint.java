package dev.doorbell.machine;

import dev.doorbell.description.FunctionDescription;
import dev.doorbell.description.HostBridge;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.explain.Source;
import dev.doorbell.hw.pcie.DemoLayout;
import dev.doorbell.hw.pcie.DemoRegisters;
import dev.doorbell.hw.pcie.EndpointModel;
import dev.doorbell.hw.pcie.EndpointRegisters;
import dev.doorbell.hw.pcie.EndpointSpec;
import dev.doorbell.pci.CapabilityLayout;
import dev.doorbell.pci.ConfigImage;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.PciFunction;
import dev.doorbell.pci.Sbdf;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/// The endpoint `doorbell-demo` on a root bus of a description: no capture has it, and programs are tried on it.
public final class DemoEndpoint {
  private DemoEndpoint() {}

  /// {@return a machine with the endpoint plugged in}
  ///
  /// @param at a free place on a root bus
  /// @param vectors MSI-X vectors, 1 to 2048
  /// @throws IllegalArgumentException when the place is taken or lies on no root bus
  public static MachineDescription plug(MachineDescription machine, Sbdf at, int vectors) {
    boolean root =
        machine.hostBridge(at).map(HostBridge::firstBus).stream().anyMatch(b -> b == at.bus());
    if (!root || machine.function(at).isPresent()) {
      throw new IllegalArgumentException(
          "%s cannot hold doorbell-demo: %s"
              .formatted(at, root ? "a function is there" : "it lies on no root bus"));
    }
    List<FunctionDescription> functions = new ArrayList<>(machine.functions());
    Source source = Source.rule("doorbell-demo");
    functions.add(
        new FunctionDescription(
            at,
            image(
                EndpointModel.create(EndpointSpec.demo(vectors), new DemoRegisters(vectors))
                    .config()),
            List.of(),
            Optional.empty(),
            Optional.empty(),
            OptionalInt.empty(),
            true,
            source));
    return new MachineDescription(
        machine.arch(),
        machine.firmware(),
        machine.iommus(),
        machine.msiControllers(),
        machine.gic(),
        machine.apic(),
        machine.hostBridges(),
        functions,
        machine.memory(),
        machine.reserved(),
        machine.recorded(),
        machine.oddities(),
        machine.unseen());
  }

  /// {@return what answers at a function's BARs}
  static EndpointRegisters registers(PciFunction f) {
    return f.vendor() == DemoLayout.VENDOR && f.device() == DemoLayout.DEVICE
        ? new DemoRegisters(f.msix().thing().map(m -> m.vectors()).orElse(0))
        : EndpointRegisters.NONE;
  }

  private static ConfigImage image(ConfigSpace live) {
    ByteBuffer bytes =
        ByteBuffer.allocate(CapabilityLayout.EXTENDED_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    while (bytes.hasRemaining()) {
      bytes.putInt(live.read32(bytes.position()));
    }
    return ConfigImage.of(bytes.array(), "doorbell-demo");
  }
}
