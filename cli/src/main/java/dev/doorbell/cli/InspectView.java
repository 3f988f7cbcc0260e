package dev.doorbell.cli;

import dev.doorbell.cli.Json.OddityView;
import dev.doorbell.cli.Json.Range;
import dev.doorbell.cli.Json.UnseenView;
import dev.doorbell.description.ApicDescription;
import dev.doorbell.description.AplicDescription;
import dev.doorbell.description.FirmwareStructure;
import dev.doorbell.description.InterruptRemapping;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.description.MsiControllerDescription;
import dev.doorbell.explain.Oddity;
import dev.doorbell.explain.Unseen;
import dev.doorbell.iommu.ReservedRegion;
import dev.doorbell.pci.Groups.Group;
import dev.doorbell.pci.MsiCapability;
import dev.doorbell.pci.MsixCapability;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.pci.Seen;
import dev.doorbell.survey.Differences;
import dev.doorbell.survey.Isolation;
import dev.doorbell.survey.Regions;
import dev.doorbell.survey.Survey;
import dev.doorbell.survey.SurveyedFunction;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The JSON document of `inspect`.
///
/// @param ioApics I/O APICs of an x86 machine, with the IOMMU that remaps their messages
/// @param hpets its HPETs, the same
/// @param aplics APLICs of a RISC-V machine that send messages to interrupt files
/// @param structures the structures of the firmware tables DMAR and IVRS
/// @param recorded what the captured kernel wrote down, and where that differs from what was derived
record InspectView(
    MachineView machine,
    List<IommuView> iommus,
    List<MsiControllerView> msiControllers,
    List<FunctionView> functions,
    List<GroupView> groups,
    List<IoApicView> ioApics,
    List<HpetView> hpets,
    List<AplicView> aplics,
    List<StructureView> structures,
    List<OddityView> oddities,
    List<UnseenView> unseen,
    RecordedView recorded) {

  /// Bytes of config space up to and with the class code.
  private static final int IDENTITY_BYTES = 12;

  record MachineView(String arch, String firmware) {}

  record IommuView(
      String id,
      String kind,
      @Nullable String base,
      @Nullable Integer inputBits,
      @Nullable List<String> granules,
      @Nullable RemappingView interruptRemapping,
      String source) {
    static IommuView of(IommuDescription i) {
      OptionalInt bits = i.abilities().inputBits();
      return new IommuView(
          i.id(),
          i.kind(),
          i.registers().map(r -> Json.hex(r.start())).orElse(null),
          bits.isPresent() ? bits.getAsInt() : null,
          i.abilities().granules().isEmpty()
              ? null
              : i.abilities().granules().stream().map(Object::toString).toList(),
          i.interruptRemapping().map(RemappingView::of).orElse(null),
          i.source().toString());
    }
  }

  /// @param state on, off or unseen
  record RemappingView(String state, String because, String source) {
    static RemappingView of(InterruptRemapping r) {
      return new RemappingView(Json.name(r.state()), r.because(), r.source().toString());
    }
  }

  record IoApicView(
      int id,
      @Nullable String base,
      long gsiBase,
      @Nullable String iommu,
      @Nullable Integer sourceId,
      List<OverrideView> overrides,
      String source) {
    static IoApicView of(ApicDescription apic, ApicDescription.IoApic a) {
      return new IoApicView(
          a.apicId(),
          a.registers().map(r -> Json.hex(r.start())).orElse(null),
          a.gsiBase(),
          a.iommu().orElse(null),
          a.sourceId().isPresent() ? a.sourceId().getAsInt() : null,
          apic.lines().stream()
              .filter(l -> apic.ioApic(l.gsi()).filter(a::equals).isPresent())
              .map(l -> OverrideView.of(l, a.gsiBase()))
              .toList(),
          a.source().toString());
    }
  }

  /// An interrupt of the ISA bus that is not as usual.
  ///
  /// @param polarity high or low
  /// @param trigger edge or level
  record OverrideView(int irq, long pin, String polarity, String trigger, String source) {
    static OverrideView of(ApicDescription.Line l, long first) {
      return new OverrideView(
          l.irq(),
          l.gsi() - first,
          l.signal().low() ? "low" : "high",
          l.signal().level() ? "level" : "edge",
          l.source().toString());
    }
  }

  record HpetView(
      int id,
      @Nullable String base,
      @Nullable Integer timers,
      @Nullable String iommu,
      @Nullable Integer sourceId,
      String source) {
    static HpetView of(ApicDescription.Hpet h) {
      return new HpetView(
          h.number(),
          h.registers().map(r -> Json.hex(r.start())).orElse(null),
          h.timers().isPresent() ? h.timers().getAsInt() : null,
          h.iommu().orElse(null),
          h.sourceId().isPresent() ? h.sourceId().getAsInt() : null,
          h.source().toString());
    }
  }

  /// @param sources wires, numbered from 1
  record AplicView(int id, String base, int sources, String msiController, String source) {
    static AplicView of(AplicDescription a, String imsic) {
      return new AplicView(
          a.number(), Json.hex(a.registers().start()), a.sources(), imsic, a.source().toString());
    }
  }

  /// A structure of the table that describes the IOMMUs, as it stands there.
  record StructureView(String name, String tells, String source) {
    static StructureView of(FirmwareStructure s) {
      return new StructureView(s.name(), s.tells(), s.source().toString());
    }
  }

  record MsiControllerView(
      String id,
      String kind,
      @Nullable String doorbell,
      @Nullable Range frame,
      @Nullable Integer vectors,
      boolean behindIommu,
      boolean isolated,
      String source) {
    static MsiControllerView of(MsiControllerDescription c, boolean behindIommu) {
      return new MsiControllerView(
          c.id(),
          c.kind(),
          c.doorbell().isPresent() ? Json.hex(c.doorbell().getAsLong()) : null,
          c.frame().map(Range::of).orElse(null),
          c.vectors().isPresent() ? c.vectors().getAsInt() : null,
          behindIommu,
          c.isolated(),
          c.source().toString());
    }
  }

  record MsiView(int vectors, boolean address64, boolean maskable) {
    static MsiView of(MsiCapability m) {
      return new MsiView(m.size(), m.is64Bit(), m.isMaskable());
    }
  }

  record MsixView(int vectors, int tableBar, long tableOffset, int pbaBar, long pbaOffset) {
    static MsixView of(MsixCapability m) {
      return new MsixView(m.vectors(), m.tableBar(), m.tableOffset(), m.pbaBar(), m.pbaOffset());
    }
  }

  /// @param unseen which of `streamId`, `msiDeviceId`, `msi` and `msix` is null because it cannot be seen, and not because there is none
  record FunctionView(
      String sbdf,
      @Nullable Integer vendor,
      @Nullable Integer device,
      @com.fasterxml.jackson.annotation.JsonProperty("class") @Nullable Integer classCode,
      int requesterId,
      @Nullable String iommu,
      @Nullable Long streamId,
      @Nullable String msiController,
      @Nullable Long msiDeviceId,
      @Nullable Integer group,
      @Nullable MsiView msi,
      @Nullable MsixView msix,
      @Nullable String driver,
      List<String> unseen) {
    static final String STREAM_ID = "streamId";
    static final String MSI_DEVICE_ID = "msiDeviceId";
    static final String MSI = "msi";
    static final String MSIX = "msix";
  }

  record RegionView(String start, String end, String kind, String source) {
    static RegionView of(ReservedRegion r) {
      return new RegionView(
          Json.hex(r.range().start()),
          Json.hex(r.range().last()),
          r.kind().printed(),
          r.source().toString());
    }
  }

  record GroupView(
      int id,
      List<String> functions,
      List<String> because,
      List<RegionView> reserved,
      boolean isolatedMsi,
      IsolationView isolation) {}

  /// @param state yes, no or unseen
  record IsolationView(String state, String because, String source) {
    static IsolationView of(Isolation i) {
      return new IsolationView(Json.name(i.state()), i.because(), i.source().toString());
    }
  }

  record RecordedGroupView(
      int number, List<String> functions, String type, List<RegionView> reserved) {}

  record RecordedView(
      List<RecordedGroupView> groups,
      boolean agrees,
      List<String> differences,
      List<String> notes) {}

  /// {@return the document}
  ///
  /// @param only functions to show with their groups; empty for all
  static InspectView of(Survey survey, List<Sbdf> only) {
    MachineDescription m = survey.machine();
    List<SurveyedFunction> functions =
        survey.functions().stream().filter(f -> only.isEmpty() || only.contains(f.sbdf())).toList();
    List<Group> groups =
        survey.groups().stream()
            .filter(g -> only.isEmpty() || g.functions().stream().anyMatch(only::contains))
            .toList();
    List<Oddity> oddities = new ArrayList<>(m.oddities());
    oddities.addAll(survey.oddities());
    return new InspectView(
        new MachineView(Json.name(m.arch()), Json.name(m.firmware())),
        m.iommus().stream().map(IommuView::of).toList(),
        m.msiControllers().stream()
            .map(c -> MsiControllerView.of(c, behindIommu(survey, c)))
            .toList(),
        functions.stream().map(f -> function(survey, f)).toList(),
        groups.stream().map(g -> group(survey, g)).toList(),
        m.apic().stream().flatMap(a -> a.ioApics().stream().map(i -> IoApicView.of(a, i))).toList(),
        m.apic().stream().flatMap(a -> a.hpets().stream()).map(HpetView::of).toList(),
        m.imsic().stream()
            .flatMap(i -> i.aplics().stream().map(a -> AplicView.of(a, i.id())))
            .toList(),
        m.structures().stream().map(StructureView::of).toList(),
        oddities.stream().distinct().map(OddityView::of).toList(),
        Stream.of(
                m.unseen().stream(),
                survey.unseenIdentities(functions).stream(),
                functions.stream().flatMap(InspectView::unseenVectors))
            .flatMap(u -> u)
            .map(UnseenView::of)
            .toList(),
        recorded(survey, only));
  }

  /// Whether some function reaches the controller through an IOMMU that translates its messages.
  private static boolean behindIommu(Survey survey, MsiControllerDescription c) {
    Set<String> translating =
        survey.machine().iommus().stream()
            .filter(Regions::translatesMsi)
            .map(IommuDescription::id)
            .collect(java.util.stream.Collectors.toSet());
    return survey.machine().hostBridges().stream()
        .filter(b -> b.msis().stream().anyMatch(x -> x.controllers().contains(c.id())))
        .flatMap(b -> b.streams().stream())
        .anyMatch(s -> translating.contains(s.iommu()));
  }

  private static FunctionView function(Survey survey, SurveyedFunction f) {
    Optional<SurveyedFunction.Stream> stream = f.stream();
    Optional<SurveyedFunction.MsiPath> msi = f.msi();
    boolean seen = f.pci().config().size() >= IDENTITY_BYTES;
    return new FunctionView(
        f.sbdf().toString(),
        seen ? survey.topology().vendor(f.pci()) : null,
        seen ? survey.topology().device(f.pci()) : null,
        seen ? f.pci().classCode() : null,
        f.requesterId(),
        stream.map(SurveyedFunction.Stream::iommu).orElse(null),
        stream.map(s -> Integer.toUnsignedLong(s.streamId())).orElse(null),
        msi.flatMap(p ->
                p.controllers().stream()
                    .filter(c -> survey.machine().msiController(c).isPresent())
                    .findFirst())
            .orElse(null),
        msi.map(p -> Integer.toUnsignedLong(p.deviceId())).orElse(null),
        survey.group(f.sbdf()).map(Group::id).orElse(null),
        f.pci().msi().thing().map(MsiView::of).orElse(null),
        f.pci().msix().thing().map(MsixView::of).orElse(null),
        f.description().driver().orElse(null),
        unseen(survey, f));
  }

  private static List<String> unseen(Survey survey, SurveyedFunction f) {
    List<String> out = new ArrayList<>();
    survey.streamDoubt(f).ifPresent(_ -> out.add(FunctionView.STREAM_ID));
    survey.deviceIdDoubt(f).ifPresent(_ -> out.add(FunctionView.MSI_DEVICE_ID));
    if (f.pci().msi().isNotVisible()) {
      out.add(FunctionView.MSI);
    }
    if (f.pci().msix().isNotVisible()) {
      out.add(FunctionView.MSIX);
    }
    return out;
  }

  private static final int HEADER_BYTES = 64;

  /// Of configuration space that ends with the header, or is not there at all, the reader has said so.
  private static Stream<Unseen> unseenVectors(SurveyedFunction f) {
    if (f.pci().config().size() <= HEADER_BYTES) {
      return Stream.empty();
    }
    Stream<Seen<?>> both = Stream.of(f.pci().msi(), f.pci().msix());
    return both.flatMap(seen ->
            seen instanceof Seen.NotVisible<?>(String why) ? Stream.of(why) : Stream.empty())
        .distinct()
        .map(why -> new Unseen("MSI or MSI-X of " + f.sbdf(), why, "its vectors are not known"));
  }

  private static GroupView group(Survey survey, Group g) {
    return new GroupView(
        g.id(),
        g.functions().stream().map(Sbdf::toString).toList(),
        g.because(),
        new Regions(survey).derived(g.functions()).stream().map(RegionView::of).toList(),
        survey.isolatedMsi(g),
        IsolationView.of(survey.isolation(g)));
  }

  private static RecordedView recorded(Survey survey, List<Sbdf> only) {
    Regions regions = new Regions(survey);
    Differences differences = Differences.of(survey);
    return new RecordedView(
        survey.machine().recorded().groups().stream()
            .filter(g -> only.isEmpty() || g.functions().stream().anyMatch(only::contains))
            .map(g ->
                new RecordedGroupView(
                    g.number(),
                    g.functions().stream().map(Sbdf::toString).toList(),
                    g.type(),
                    regions.recorded(g.functions()).stream().map(RegionView::of).toList()))
            .toList(),
        differences.agrees(),
        differences.differences(),
        differences.notes());
  }
}
