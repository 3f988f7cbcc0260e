package dev.doorbell.route;

import dev.doorbell.address.Pa;
import dev.doorbell.description.HostBridge;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.MsiControllerDescription;
import dev.doorbell.explain.Hop;
import dev.doorbell.explain.Source;
import dev.doorbell.explain.Unseen;
import dev.doorbell.hw.gicits.ItsWalk;
import dev.doorbell.hw.gicits.ItsWalker;
import dev.doorbell.hw.gicv2m.GicV2mWalk;
import dev.doorbell.hw.gicv2m.GicV2mWalker;
import dev.doorbell.hw.gicv3.GicV3Walker;
import dev.doorbell.hw.gicv3.GicrRegisters;
import dev.doorbell.hw.gicv3.LpiState;
import dev.doorbell.survey.Doubt;
import dev.doorbell.survey.SurveyedFunction;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/// The part of a route that lies in the MSI controller.
final class ControllerWalk {
  private final MachineDescription machine;
  private final MachineState state;
  private final RouteWalker.Trail trail;

  ControllerWalk(MachineDescription machine, MachineState state, RouteWalker.Trail trail) {
    this.machine = machine;
    this.state = state;
    this.trail = trail;
  }

  Route walk(MsiControllerDescription controller, SurveyedFunction f, Pa pa, int data) {
    return switch (controller) {
      case MsiControllerDescription.Its its -> its(its, f, pa, data);
      case MsiControllerDescription.GicV2m v2m -> v2m(v2m, pa, data);
      case MsiControllerDescription.Imsic imsic ->
          new RiscvWalk(machine, state, trail).deliver(imsic, pa.value(), data);
      case MsiControllerDescription.LocalApic apic ->
          throw new IllegalArgumentException(apic.id() + " is reached through X86Walk");
      case MsiControllerDescription.MpicMsi bank ->
          new PowerWalk(machine, state, trail).deliver(bank, pa, data);
      case MsiControllerDescription.PhbMsi _,
          MsiControllerDescription.PaprMsi _,
          MsiControllerDescription.Other _ ->
          trail.cannotSee(
              controller.id(),
              RouteWalker.write(pa.value(), data),
              "Doorbell knows %s by name only".formatted(controller.kind()),
              controller.source());
    };
  }

  private Route its(MsiControllerDescription.Its its, SurveyedFunction f, Pa pa, int data) {
    String in = RouteWalker.write(pa.value(), data);
    if (its.doorbell().isEmpty() || its.doorbell().getAsLong() != pa.value()) {
      return trail.stop(
          its.id(),
          in,
          "nothing",
          "the write lands in the ITS's frame but not on GITS_TRANSLATER at 0x%x"
              .formatted(its.doorbell().orElse(0)),
          its.source());
    }
    Optional<SurveyedFunction.MsiPath> path = f.msi();
    if (path.isEmpty()) {
      Optional<Doubt> doubt = Doubt.about(machine, Unseen.Hidden.MSI_CONTROLLERS);
      return trail.cannotSee(
          its.id(),
          in,
          "firmware names no DeviceID for %s%s"
              .formatted(f.sbdf(), doubt.map(d -> ", but " + d.why()).orElse("")),
          doubt
              .map(Doubt::source)
              .or(() -> machine.hostBridge(f.sbdf()).map(HostBridge::source))
              .orElse(its.source()));
    }
    trail.derived(
        its.id(),
        in,
        "DeviceID 0x%x".formatted(path.get().deviceId()),
        "firmware's id mapping of requester id 0x%x".formatted(f.requesterId()),
        path.get().source());
    Map<String, Long> registers =
        state.block("its", its.window()).map(MachineState.Block::registers).orElse(Map.of());
    ItsWalk walk =
        new ItsWalker(its.id(), registers, state.memory(), state.itsFormat(), state.basis())
            .walk(path.get().deviceId(), data);
    trail.hops(walk.hops());
    if (walk.outcome() != ItsWalk.Outcome.TRANSLATED || walk.intid().isEmpty()) {
      trail.breaks(last(walk.hops()));
      return trail.stopped();
    }
    Optional<Boolean> enabled = Optional.empty();
    if (walk.target().isPresent()) {
      Optional<Route> lost = processor(walk.target().getAsInt());
      if (lost.isPresent()) {
        return lost.get();
      }
      LpiState lpi =
          new GicV3Walker(
                  state.blocks("gicr").stream().map(MachineState.Block::registers).toList(),
                  state.memory(),
                  state.basis())
              .lpi(walk.target().getAsInt(), walk.intid().getAsInt());
      trail.hops(lpi.hops());
      enabled = lpi.enabled();
    }
    return trail.delivered(
        new Route.Interrupt(its.id(), walk.intid().getAsInt(), walk.target()), enabled);
  }

  /// {@return where it ends, when neither a Redistributor nor firmware tells of the processor}
  private Optional<Route> processor(int number) {
    boolean recorded =
        state.blocks("gicr").stream()
            .map(b -> b.registers().get("TYPER"))
            .anyMatch(t -> t != null && GicrRegisters.PROCESSOR_NUMBER.get(t) == number);
    int known = machine.gic().map(g -> g.cpus().size()).orElse(0);
    if (recorded || number < known) {
      return Optional.empty();
    }
    String at = "redistributor of processor " + number;
    Source source = Source.rule("GICR_TYPER.Processor_Number; firmware's processors");
    if (known == 0) {
      return Optional.of(
          trail.cannotSee(
              at, "an LPI", "no such redistributor was recorded, nor any processor", source));
    }
    String why =
        "no such redistributor was recorded, and firmware has %d processor%s"
            .formatted(known, known == 1 ? "" : "s");
    trail.derived(at, "an LPI", "nothing", why, source);
    trail.breaks(why);
    return Optional.of(trail.stopped());
  }

  private Route v2m(MsiControllerDescription.GicV2m v2m, Pa pa, int data) {
    Map<String, Long> registers =
        state.block("v2m", v2m.window()).map(MachineState.Block::registers).orElse(Map.of());
    GicV2mWalk walk =
        new GicV2mWalker(v2m.id(), new Pa(v2m.window().start()), registers, state.basis())
            .withFirmware(v2m.spiBase(), v2m.spiCount())
            .walk(pa, data);
    trail.hops(walk.hops());
    if (walk.outcome() != GicV2mWalk.Outcome.RAISED || walk.intid().isEmpty()) {
      trail.breaks(last(walk.hops()));
      return trail.stopped();
    }
    trail.derived(
        v2m.id(),
        "SPI " + walk.intid().getAsInt(),
        "SPI " + walk.intid().getAsInt(),
        "the frame does not look at who writes",
        v2m.source());
    return trail.delivered(
        new Route.Interrupt(v2m.id(), walk.intid().getAsInt(), OptionalInt.empty()),
        Optional.empty());
  }

  private static String last(List<Hop> hops) {
    return hops.isEmpty() ? "the walk ended" : hops.getLast().why();
  }
}
