package dev.doorbell.route;

import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.description.ApicDescription;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.MsiControllerDescription;
import dev.doorbell.explain.Hop;
import dev.doorbell.explain.Source;
import dev.doorbell.hw.amdvi.AmdViMessage;
import dev.doorbell.hw.amdvi.AmdViWalk;
import dev.doorbell.hw.amdvi.AmdViWalker;
import dev.doorbell.hw.ioapic.IoapicWalk;
import dev.doorbell.hw.ioapic.IoapicWalker;
import dev.doorbell.hw.lapic.LapicWalker;
import dev.doorbell.hw.vtd.VtdMessage;
import dev.doorbell.hw.vtd.VtdWalk;
import dev.doorbell.hw.vtd.VtdWalker;
import dev.doorbell.irq.X86Interrupt;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/// The parts of a route that only x86 machines have: interrupt remapping and local APICs. Writes to the interrupt address range never meet
/// the DMA tables; others do.
final class X86Walk {
  private static final Source RULE =
      Source.rule("Intel VT-d 4.1, 3.14 and AMD 48882 3.09, 2.1.4: interrupt address range");

  private final MachineDescription machine;
  private final MachineState state;
  private final RouteWalker.Trail trail;

  X86Walk(MachineDescription machine, MachineState state, RouteWalker.Trail trail) {
    this.machine = machine;
    this.state = state;
    this.trail = trail;
  }

  /// {@return where a write leaves the IOMMU; empty when it ends inside}
  OptionalLong translate(IommuDescription iommu, int sourceId, long address, int data) {
    if (MsiControllerDescription.LocalApic.WINDOW.contains(address)) {
      String write = RouteWalker.write(address, data);
      trail.derived(
          iommu.id(),
          write,
          write,
          "the address lies in the interrupt address range: the write is an interrupt and does not meet the translation tables",
          RULE);
      return OptionalLong.of(address);
    }
    return switch (iommu) {
      case IommuDescription.VtD v -> {
        VtdWalk walk = vtd(v).dma(sourceId, new Iova(address), true);
        yield left(walk.hops(), walk.output(), walk.stoppedAt());
      }
      case IommuDescription.AmdVi a -> {
        AmdViWalk walk = amdVi(a).dma(sourceId, new Iova(address), true);
        yield left(walk.hops(), walk.output(), walk.stoppedAt());
      }
      default -> throw new IllegalArgumentException(iommu.id() + " is no IOMMU of x86");
    };
  }

  private OptionalLong left(List<Hop> hops, Optional<Pa> output, Optional<String> stoppedAt) {
    trail.hops(hops);
    if (output.isEmpty()) {
      trail.breaks(stoppedAt.orElse("the walk ended"));
      return OptionalLong.empty();
    }
    long pa = output.get().value();
    if (MsiControllerDescription.LocalApic.WINDOW.contains(pa)) {
      trail.stop(
          "physical address 0x%x".formatted(pa),
          "0x" + Long.toHexString(pa),
          "nothing",
          "tables that lead into the interrupt address range make no interrupt: the access is blocked",
          RULE);
      return OptionalLong.empty();
    }
    return OptionalLong.of(pa);
  }

  /// {@return the rest of a message's way, through interrupt remapping to a processor}
  Route deliver(
      MsiControllerDescription.LocalApic apic,
      int sourceId,
      Optional<IommuDescription> iommu,
      long address,
      int data) {
    return switch (iommu.orElse(null)) {
      case IommuDescription.VtD v -> {
        VtdMessage m = vtd(v).message(sourceId, address, data);
        trail.hops(m.hops());
        yield m.posted().isPresent()
            ? posted(apic, v.id(), m.posted().get())
            : arrive(apic, m.interrupt(), m.stoppedAt());
      }
      case IommuDescription.AmdVi a -> {
        AmdViMessage m = amdVi(a).message(sourceId, address, data);
        trail.hops(m.hops());
        yield m.guest().isPresent()
            ? posted(a.id(), m.guest().get().vector())
            : arrive(apic, m.interrupt(), m.stoppedAt());
      }
      case null, default -> {
        X86Interrupt out = X86Interrupt.ofMessage(address, data);
        trail.derived(
            apic.id(),
            RouteWalker.write(address, data),
            out.toString(),
            "nothing remaps interrupts of this sender, and whoever sends is not looked at",
            Source.rule("Intel SDM volume 3, 11.11"));
        yield arrive(apic, Optional.of(out), Optional.empty());
      }
    };
  }

  /// {@return the way of a pin's interrupt}
  Route wired(ApicDescription.IoApic ioApic, int pin) {
    String id = "ioapic:" + ioApic.apicId();
    IoapicWalk walk =
        new IoapicWalker(
                id,
                ioApic
                    .registers()
                    .flatMap(r -> state.block("ioapic", r))
                    .map(MachineState.Block::registers)
                    .orElse(Map.of()))
            .walk(pin);
    if (walk.message().isEmpty()) {
      return trail.cannotSee(
          walk.hop().at(), walk.hop().in(), walk.hop().why(), walk.hop().source());
    }
    trail.masked(walk.masked());
    trail.hops(List.of(walk.hop()));
    IoapicWalk.Message sent = walk.message().get();
    MsiControllerDescription.LocalApic apic =
        machine.msiControllers().stream()
            .filter(c -> c instanceof MsiControllerDescription.LocalApic)
            .map(c -> (MsiControllerDescription.LocalApic) c)
            .findFirst()
            .orElseThrow();
    Optional<IommuDescription> iommu = ioApic.iommu().flatMap(machine::iommu);
    String write = RouteWalker.write(sent.address(), sent.data());
    if (iommu.isPresent() && ioApic.sourceId().isEmpty()) {
      return trail.cannotSee(
          iommu.get().id(),
          write,
          "which source-id the messages of %s carry is not told".formatted(id),
          ioApic.source());
    }
    iommu.ifPresent(i ->
        trail.derived(
            id,
            write,
            "source-id 0x%x at %s".formatted(ioApic.sourceId().getAsInt(), i.id()),
            "firmware names it for the I/O APIC",
            i.source()));
    trail.doorbell(sent.address());
    return deliver(apic, ioApic.sourceId().orElse(0), iommu, sent.address(), sent.data());
  }

  private Route arrive(
      MsiControllerDescription.LocalApic apic,
      Optional<X86Interrupt> interrupt,
      Optional<String> stoppedAt) {
    if (interrupt.isEmpty()) {
      trail.breaks(stoppedAt.orElse("the walk ended"));
      return trail.stopped();
    }
    LapicWalker.Arrival at = lapics(apic).arrive(interrupt.get());
    Hop h = at.hop();
    trail.derived(h.at(), h.in(), h.out(), h.why(), h.source());
    if (at.stoppedAt().isPresent()) {
      trail.breaks(at.stoppedAt().get());
      return trail.stopped();
    }
    return trail.delivered(
        new Route.Interrupt(apic.id(), interrupt.get().vector(), at.cpu()), Optional.empty());
  }

  /// A guest's own vector, in memory that its virtual processor looks at.
  private Route posted(String iommu, int vector) {
    return trail.delivered(
        new Route.Interrupt(iommu, vector, OptionalInt.empty()), Optional.empty());
  }

  /// The same, with the processor of the host that is told, where one is.
  private Route posted(
      MsiControllerDescription.LocalApic apic, String iommu, VtdMessage.Posted posted) {
    OptionalInt cpu = OptionalInt.empty();
    if (posted.notification().isPresent()) {
      LapicWalker.Arrival at = lapics(apic).arrive(posted.notification().get());
      Hop h = at.hop();
      trail.derived(h.at(), "notification: " + h.in(), h.out(), h.why(), h.source());
      cpu = at.cpu();
    }
    return trail.delivered(
        new Route.Interrupt(iommu, posted.interrupt().vector(), cpu), Optional.empty());
  }

  private LapicWalker lapics(MsiControllerDescription.LocalApic apic) {
    return new LapicWalker(
        apic.id(),
        machine.apic().stream()
            .flatMap(a -> a.cpus().stream())
            .map(ApicDescription.Cpu::apicId)
            .toList());
  }

  private VtdWalker vtd(IommuDescription.VtD v) {
    return new VtdWalker(
        v.id(),
        state.block("vtd", v.window()).map(MachineState.Block::registers).orElse(Map.of()),
        state.memory());
  }

  private AmdViWalker amdVi(IommuDescription.AmdVi a) {
    return new AmdViWalker(
        a.id(),
        state.block("amdvi", a.window()).map(MachineState.Block::registers).orElse(Map.of()),
        state.memory());
  }
}
