package dev.doorbell.irq;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.explain.Source;
import dev.doorbell.iommu.Domain;
import dev.doorbell.iommu.DomainPolicy;
import dev.doorbell.iommu.IommuGroup;
import dev.doorbell.iommu.IommuGroup.Isolation;
import dev.doorbell.iommu.IommuGroup.Member;
import dev.doorbell.iommu.IommuGroup.Stream;
import dev.doorbell.iommu.Ringers;
import dev.doorbell.irq.MsiRoute.Target;
import dev.doorbell.simple.HardwareWrites;
import dev.doorbell.simple.SimpleFunction;
import dev.doorbell.simple.SimpleFunction.Shape;
import dev.doorbell.simple.SimpleIommu;
import dev.doorbell.simple.SimpleMsiController;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/// A small machine for tests of this room: an IOMMU, two controllers that look at the device, one that does not, and functions.
final class IrqBench {
  static final Source TEST = Source.rule("test");
  static final AddressRange WINDOW = AddressRange.ofSize(0x800_0000, 0x10_0000);
  static final int CPUS = 4;

  final HardwareWrites hw = new HardwareWrites();
  final SimpleIommu iommu;
  final Ringers ringers = new Ringers();
  final SimpleMsiController its0 = new SimpleMsiController("its0", 0x809_0040, 8192, 16, true, hw);
  final SimpleMsiController its1 = new SimpleMsiController("its1", 0x80b_0040, 9000, 64, true, hw);
  final SimpleMsiController v2m = new SimpleMsiController("v2m", 0x802_0040, 80, 64, false, hw);
  final SimpleMsiController imsic =
      SimpleMsiController.perCpu("imsic", 0x2800_0000, 100, 64, CPUS, hw);
  final List<Function> functions = new ArrayList<>();

  /// A function with all that belongs to it.
  record Function(IommuGroup group, SimpleFunction device, MsiFunction msi) {
    /// {@return interrupts that arrive when a vector fires}
    boolean fire(int vector) {
      return device.fire(vector);
    }
  }

  IrqBench() {
    this(true);
  }

  IrqBench(boolean hitless) {
    iommu = SimpleIommu.of("smmu0", hw, hitless, true);
  }

  Domain domain(String name, AddressRange window) {
    Domain d = Domain.create(name, DomainPolicy.TRUSTED_USER, iommu, Granule.K4);
    d.reserveMsiWindow(window);
    return d;
  }

  Domain domain(String name) {
    return domain(name, WINDOW);
  }

  /// {@return a function in a group of its own, attached nowhere}
  Function function(int stream, Shape shape, SimpleMsiController... controllers) {
    String name = "0000:0%d:00.0".formatted(stream);
    IommuGroup group =
        IommuGroup.of(
            stream,
            List.of(
                new Member(
                    name,
                    List.of(new Stream(iommu, stream)),
                    new Isolation(true, "its0", OptionalInt.of(stream), TEST))),
            List.of("alone"),
            List.of(),
            ringers);
    SimpleFunction device =
        new SimpleFunction(
            name, shape, stream, Optional.of(iommu), List.of(its0, its1, v2m, imsic), hw);
    MsiFunction msi =
        MsiFunction.of(name, device, MsiDomain.behind(group, route(stream, controllers)));
    Function f = new Function(group, device, msi);
    functions.add(f);
    return f;
  }

  static MsiRoute route(int stream, SimpleMsiController... controllers) {
    return new MsiRoute(
        Arrays.stream(controllers).map(c -> new Target(c, stream, c.frames())).toList(),
        CPUS,
        TEST);
  }

  /// {@return interrupts that have arrived, as `intid@cpu`}
  List<String> arrived() {
    List<String> out = new ArrayList<>();
    for (SimpleMsiController c : List.of(its0, its1, v2m, imsic)) {
      c.collect((intid, cpu) -> out.add(intid + "@" + cpu));
    }
    return out;
  }

  /// {@return everything that hardware holds}
  List<Object> state() {
    List<Object> out = new ArrayList<>();
    out.add(iommu.state());
    out.add(its0.state());
    out.add(its1.state());
    out.add(v2m.state());
    out.add(imsic.state());
    functions.forEach(f -> out.add(f.device().state()));
    return out;
  }
}
