package dev.doorbell.route;

import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.description.ApicDescription;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.MsiControllerDescription;
import dev.doorbell.explain.Basis;
import dev.doorbell.explain.Hop;
import dev.doorbell.explain.Source;
import dev.doorbell.explain.Unseen;
import dev.doorbell.hw.smmuv2.SmmuV2Walk;
import dev.doorbell.hw.smmuv2.SmmuV2Walker;
import dev.doorbell.hw.smmuv3.SmmuWalk;
import dev.doorbell.hw.smmuv3.SmmuWalker;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.survey.Doubt;
import dev.doorbell.survey.Survey;
import dev.doorbell.survey.SurveyedFunction;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/// Follows one vector's write from the function to the interrupt, through registers and tables as they stand. Changes nothing.
public final class RouteWalker {
  /// Where requester ids become StreamIDs.
  private static final String ROOT_COMPLEX = "root complex";

  private final Survey survey;
  private final MachineState state;

  public RouteWalker(Survey survey, MachineState state) {
    this.survey = survey;
    this.state = state;
  }

  /// {@return the route of a vector}
  ///
  /// @throws IndexOutOfBoundsException when the function has no such vector
  /// @throws IllegalArgumentException when the machine has no such function
  public Route walk(Sbdf sbdf, int vector) {
    SurveyedFunction f =
        survey
            .function(sbdf)
            .orElseThrow(() -> new IllegalArgumentException("the machine has no function " + sbdf));
    return new Walk(f, vector).run();
  }

  /// {@return the way of an interrupt from a pin of an I/O APIC}
  ///
  /// @param ioApic the id that firmware gives it
  /// @throws IllegalArgumentException when the machine has no such I/O APIC
  public Route walkPin(int ioApic, int pin) {
    ApicDescription.IoApic a =
        survey.machine().apic().stream()
            .flatMap(d -> d.ioApics().stream())
            .filter(i -> i.apicId() == ioApic)
            .findFirst()
            .orElseThrow(
                () -> new IllegalArgumentException("the machine has no I/O APIC " + ioApic));
    return new X86Walk(survey.machine(), state, new Trail(state.basis())).wired(a, pin);
  }

  /// {@return the way of an interrupt from a wire of an APLIC}
  ///
  /// @param aplic the number that it is called by
  /// @throws IllegalArgumentException when the machine has no such APLIC
  public Route walkSource(int aplic, int source) {
    return new RiscvWalk(survey.machine(), state, new Trail(state.basis())).wired(aplic, source);
  }

  /// {@return the way of an interrupt from a timer of an HPET}
  ///
  /// @param hpet the number that firmware gives it
  /// @throws IllegalArgumentException when the machine has no such HPET
  public Route walkTimer(int hpet, int timer) {
    ApicDescription.Hpet h =
        survey.machine().apic().stream()
            .flatMap(d -> d.hpets().stream())
            .filter(i -> i.number() == hpet)
            .findFirst()
            .orElseThrow(() -> new IllegalArgumentException("the machine has no HPET " + hpet));
    return new X86Walk(survey.machine(), state, new Trail(state.basis())).timed(h, timer);
  }

  /// {@return the way of a timer of an HPET whose remapper firmware does not name: its messages stay off, as Linux leaves them}
  ///
  /// @see dev.doorbell.description.MachineDescription#isRemapperUntold
  public Route untoldTimer(ApicDescription.Hpet hpet, int timer) {
    return new Trail(state.basis())
        .stop(
            "hpet:%d timer %d".formatted(hpet.number(), timer),
            "an interrupt",
            "nothing is sent",
            "interrupts are remapped, and firmware does not tell by whom those of hpet:%d: its messages stay off"
                .formatted(hpet.number()),
            hpet.source());
  }

  /// One walk under way.
  private final class Walk {
    private final SurveyedFunction f;
    private final int vector;
    private final Trail trail = new Trail(state.basis());

    Walk(SurveyedFunction f, int vector) {
      this.f = f;
      this.vector = vector;
    }

    Route run() {
      String at = "%s vector %d".formatted(f.sbdf(), vector);
      return switch (state.vector(f.sbdf(), vector)) {
        case VectorState.Unseen u -> trail.cannotSee(at, "an interrupt", u.why(), u.source());
        case VectorState.Off off ->
            trail.stop(
                at,
                "an interrupt",
                "nothing is sent",
                off.kind() + " is not enabled for this vector",
                off.source());
        case ProgrammedVector p -> sent(at, p);
      };
    }

    private Route sent(String at, ProgrammedVector p) {
      trail.masked(p.masked());
      trail.hop(
          at,
          "an interrupt",
          write(p.address(), p.data()),
          p.kind()
              + (p.masked()
                  ? " entry, masked: the write waits for the unmask"
                  : " entry, not masked"),
          p.source());
      if (!new UpstreamWalk(survey, trail, f, p.address()).climb(f.pci())) {
        return trail.stopped();
      }
      alias();
      OptionalLong doorbell = translate(p.address(), p.data());
      return doorbell.isEmpty() ? trail.stopped() : arrive(doorbell.getAsLong(), p.data());
    }

    /// The requester id that the root complex sees.
    private void alias() {
      if (f.requesterId() != f.sbdf().requesterId()) {
        trail.derived(
            f.sbdf().toString(),
            "requester id 0x%x".formatted(f.sbdf().requesterId()),
            "requester id 0x%x".formatted(f.requesterId()),
            "a bridge to a conventional bus speaks for it",
            f.description().source());
      }
    }

    private OptionalLong translate(long address, int data) {
      Optional<SurveyedFunction.Stream> stream = f.stream();
      String in = write(address, data);
      Optional<Doubt> doubt = survey.streamDoubt(f);
      if (doubt.isPresent()) {
        return unseen(
            ROOT_COMPLEX,
            in,
            "which IOMMU is in the path of requester id 0x%x, if any, cannot be seen: %s"
                .formatted(f.requesterId(), doubt.get().why()),
            doubt.get().source());
      }
      if (stream.isEmpty()) {
        trail.derived(
            ROOT_COMPLEX,
            in,
            in,
            "no IOMMU is in the path of requester id 0x%x: the address is the physical one, and nothing keeps the function's writes from other memory"
                .formatted(f.requesterId()),
            survey.untranslatedSource(f));
        return OptionalLong.of(address);
      }
      SurveyedFunction.Stream s = stream.get();
      trail.derived(
          ROOT_COMPLEX,
          "requester id 0x%x".formatted(f.requesterId()),
          "%s 0x%x at %s".formatted(idName(s.iommu()), s.streamId(), s.iommu()),
          "firmware's id mapping",
          s.source());
      IommuDescription iommu = survey.machine().iommu(s.iommu()).orElse(null);
      return switch (iommu) {
        case IommuDescription.Smmuv3 smmu -> smmuv3(smmu, s.streamId(), address);
        case IommuDescription.VirtioIommu v -> virtio(v, address, in);
        case IommuDescription.RiscvIommu r ->
            new RiscvWalk(survey.machine(), state, trail).translate(r, f, address, in);
        case IommuDescription.Smmuv2 smmu -> smmuv2(smmu, s.streamId(), address);
        case IommuDescription.VtD v -> x86().translate(v, s.streamId(), address, data);
        case IommuDescription.AmdVi a -> x86().translate(a, s.streamId(), address, data);
        case IommuDescription.Pamu p -> power().translate(p, s.streamId(), address);
        case IommuDescription.Phb p -> power().translate(p, s.streamId(), address, in);
        case IommuDescription.PaprTce t -> power().translate(t, address, in);
        case IommuDescription.Other o ->
            unseen(o.id(), in, "Doorbell knows %s by name only".formatted(o.kind()), o.source());
        case null ->
            unseen(
                s.iommu(), in, "firmware maps to an IOMMU that it does not describe", s.source());
      };
    }

    /// What the IOMMU's manual calls the id that it knows a function by.
    private String idName(String iommu) {
      return switch (survey.machine().iommu(iommu).orElse(null)) {
        case IommuDescription.VtD _ -> "source-id";
        case IommuDescription.AmdVi _ -> "DeviceID";
        case IommuDescription.RiscvIommu _ -> "device_id";
        case IommuDescription.Pamu _ -> "LIODN";
        case IommuDescription.Phb _ -> "RTT index";
        case IommuDescription.PaprTce _ -> "LIOBN";
        case null, default -> "StreamID";
      };
    }

    private int sourceId() {
      return f.stream().map(SurveyedFunction.Stream::streamId).orElse(f.requesterId());
    }

    private PowerWalk power() {
      return new PowerWalk(survey.machine(), state, trail);
    }

    private X86Walk x86() {
      return new X86Walk(survey.machine(), state, trail);
    }

    private OptionalLong smmuv3(IommuDescription.Smmuv3 smmu, int streamId, long address) {
      Optional<MachineState.Block> block = state.block("smmuv3", smmu.window());
      SmmuWalk walk =
          new SmmuWalker(
                  smmu.id(),
                  block.map(MachineState.Block::registers).orElse(Map.of()),
                  state.memory())
              .walk(streamId, new Iova(address), true);
      trail.hops(walk.hops());
      if (walk.output().isEmpty()) {
        trail.breaks(walk.stoppedAt().orElse("the walk ended"));
        return OptionalLong.empty();
      }
      return OptionalLong.of(walk.output().get().value());
    }

    private OptionalLong smmuv2(IommuDescription.Smmuv2 smmu, int streamId, long address) {
      Optional<MachineState.Block> block = state.block("smmuv2", smmu.window());
      SmmuV2Walk walk =
          new SmmuV2Walker(
                  smmu.id(),
                  block.map(MachineState.Block::registers).orElse(Map.of()),
                  state.memory())
              .walk(streamId, new Iova(address), true);
      trail.hops(walk.hops());
      walk.stoppedAt().ifPresent(trail::breaks);
      return walk.output().map(pa -> OptionalLong.of(pa.value())).orElse(OptionalLong.empty());
    }

    /// virtio 1.2, 5.13.6.8.1: accesses to a reported MSI region are not translated.
    private OptionalLong virtio(IommuDescription.VirtioIommu v, long address, String in) {
      boolean known =
          survey.machine().msiControllers().stream().anyMatch(c -> c.answersAt(address));
      if (!known) {
        Optional<Doubt> doubt = Doubt.about(survey.machine(), Unseen.Hidden.MSI_CONTROLLERS);
        return unseen(
            v.id(),
            in,
            doubt
                .map(d -> "the address lies in no MSI frame that is described, but " + d.why())
                .orElse(
                    "the address lies in no MSI frame, and a virtio-iommu's mappings are the device's own"),
            doubt.map(Doubt::source).orElse(v.source()));
      }
      trail.derived(v.id(), in, in, "a write to its MSI region passes untranslated", v.source());
      return OptionalLong.of(address);
    }

    private OptionalLong unseen(String at, String in, String why, Source source) {
      trail.cannotSee(at, in, why, source);
      return OptionalLong.empty();
    }

    private Route arrive(long pa, int data) {
      trail.doorbell(pa);
      // Host bridges of POWER take messages at the same addresses, each those of its own functions.
      Optional<MsiControllerDescription> own =
          f.msi().flatMap(m -> survey.machine().msiController(m.controllers().getFirst()));
      if (own.orElse(null) instanceof MsiControllerDescription.PhbMsi msi && msi.answersAt(pa)) {
        return power().deliver(msi, f, vector, pa, data);
      }
      if (own.orElse(null) instanceof MsiControllerDescription.PaprMsi msi) {
        return power().deliver(msi, f, vector, pa, data);
      }
      Optional<MsiControllerDescription> there = survey.machine().msiControllerAt(pa);
      if (there.isPresent()) {
        return there.get() instanceof MsiControllerDescription.LocalApic apic
            ? x86().deliver(apic, sourceId(), survey.iommu(f), pa, data)
            : new ControllerWalk(survey.machine(), state, trail)
                .walk(there.get(), f, new Pa(pa), data);
      }
      String at = "physical address 0x%x".formatted(pa);
      Optional<MachineDescription.Memory> ram =
          survey.machine().memory().stream().filter(m -> m.range().contains(pa)).findFirst();
      Optional<Doubt> doubt = Doubt.about(survey.machine(), Unseen.Hidden.MSI_CONTROLLERS);
      if (ram.isEmpty() && doubt.isPresent()) {
        return trail.cannotSee(
            at,
            write(pa, data),
            "no MSI controller that is described lies there, but " + doubt.get().why(),
            doubt.get().source());
      }
      trail.derived(
          at,
          write(pa, data),
          ram.isPresent() ? "RAM" : "nothing that firmware describes as an MSI controller",
          "the write does not reach a doorbell",
          ram.map(MachineDescription.Memory::source)
              .orElse(Source.rule("firmware's MSI controllers and memory")));
      trail.breaks("the write does not reach a doorbell");
      return trail.stopped();
    }
  }

  static String write(long address, int data) {
    return "write 0x%x to 0x%x".formatted(data, address);
  }

  /// Hops gathered so far, and what became clear on the way.
  static final class Trail {
    private static final String CANNOT_SEE = "cannot see";

    private final List<Hop> hops = new ArrayList<>();
    private final Basis basis;
    private OptionalLong doorbell = OptionalLong.empty();
    private Optional<String> stoppedAt = Optional.empty();
    private Optional<Boolean> masked = Optional.empty();

    Trail(Basis basis) {
      this.basis = basis;
    }

    void masked(boolean is) {
      masked = Optional.of(is);
    }

    void doorbell(long pa) {
      doorbell = OptionalLong.of(pa);
    }

    void hop(String at, String in, String out, String why, Source source) {
      hops.add(new Hop(at, in, out, why, source, out.equals(CANNOT_SEE) ? Basis.UNSEEN : basis));
    }

    void recorded(String at, String in, String out, String why, Source source) {
      hops.add(new Hop(at, in, out, why, source, Basis.RECORDED));
    }

    void derived(String at, String in, String out, String why, Source source) {
      hops.add(new Hop(at, in, out, why, source, Basis.DERIVED));
    }

    void hops(List<Hop> more) {
      more.forEach(h -> hop(h.at(), h.in(), h.out(), h.why(), h.source()));
    }

    void breaks(String why) {
      stoppedAt = Optional.of(hops.isEmpty() ? why : hops.getLast().at() + ": " + why);
    }

    Route cannotSee(String at, String in, String why, Source source) {
      return stop(at, in, CANNOT_SEE, why, source);
    }

    Route stop(String at, String in, String out, String why, Source source) {
      hop(at, in, out, why, source);
      breaks(why);
      return stopped();
    }

    Route stopped() {
      return new Route(
          hops, doorbell, false, Optional.empty(), stoppedAt, masked, Optional.empty());
    }

    Route delivered(Route.Interrupt interrupt, Optional<Boolean> enabled) {
      return new Route(
          hops, doorbell, true, Optional.of(interrupt), Optional.empty(), masked, enabled);
    }
  }
}
