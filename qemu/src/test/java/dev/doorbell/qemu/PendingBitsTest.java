package dev.doorbell.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Granule;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.DmaPort;
import dev.doorbell.host.Assignment;
import dev.doorbell.host.Host;
import dev.doorbell.host.HostFunction;
import dev.doorbell.hw.pcie.EndpointModel;
import dev.doorbell.hw.pcie.EndpointRegisters;
import dev.doorbell.hw.pcie.EndpointSpec;
import dev.doorbell.hw.pcie.RootComplexModel;
import dev.doorbell.irq.LiveVector;
import dev.doorbell.pci.Capabilities;
import dev.doorbell.pci.CapabilityLayout;
import dev.doorbell.pci.ConfigAccess;
import dev.doorbell.pci.ConfigHeaderLayout;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.MessageTable;
import dev.doorbell.pci.MsixLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeSet;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/// Random masking, raising and unmasking on an `nvme` of QEMU's behind its SMMU and ITS, and on our model of MSI-X.
///
/// Each seed begins where the one before has ended. `-Ddoorbell.config.count=5000` runs more of them.
@DisplayName(
    "PCI Express Base 6.0 6.1.4, 7.7.2: pending bits and what arrives are what our model of MSI-X shows")
class PendingBitsTest {
  private static final int SEEDS = Integer.getInteger("doorbell.config.count", 40);
  private static final int STEPS = 60;
  private static final int VECTORS = 5;
  private static final long TABLE = 0x1000_0000L;

  /// Our model, whose messages are noted by their data: vector n sends n.
  private static final class Twin implements DmaPort {
    final List<Integer> sent = new ArrayList<>();
    private final EndpointModel model =
        EndpointModel.create(EndpointSpec.demo(VECTORS), EndpointRegisters.NONE);
    private final int msix;

    Twin() {
      new RootComplexModel(0, 0, 0, this, false).root().add(0x08, model);
      model.placeBar(2, TABLE);
      ConfigAccess header = ConfigAccess.header(model.config());
      header.set(ConfigHeaderLayout.COMMAND, ConfigHeaderLayout.MEMORY_SPACE_ENABLE, 1);
      header.set(ConfigHeaderLayout.COMMAND, ConfigHeaderLayout.BUS_MASTER_ENABLE, 1);
      msix = msix(model.config());
      for (int v = 0; v < VECTORS; v++) {
        word(v, MsixLayout.MESSAGE_DATA.offset(), v);
        word(v, MsixLayout.VECTOR_CONTROL.offset(), 0);
      }
      function(false);
    }

    void function(boolean masked) {
      model.config().write(msix + (int) MsixLayout.CONTROL.offset(), control(masked), Short.BYTES);
    }

    void mask(int vector, boolean masked) {
      word(vector, MsixLayout.VECTOR_CONTROL.offset(), masked ? 1 : 0);
    }

    private void word(int vector, long offset, int value) {
      assertEquals(
          BusOutcome.OK,
          model.write(TABLE + vector * MsixLayout.ENTRY.bytes() + offset, value, Integer.BYTES));
    }

    long pending() {
      return model.read(TABLE + 0x8000, Long.BYTES).value();
    }

    @Override
    public BusOutcome write(int requesterId, long address, long value, int bytes) {
      sent.add((int) value);
      return BusOutcome.OK;
    }

    @Override
    public BusRead read(int requesterId, long address, int bytes) {
      return BusRead.error(bytes);
    }
  }

  private static int msix(ConfigSpace config) {
    return Capabilities.of(config, "function").all().stream()
        .filter(c -> c.id() == CapabilityLayout.MSIX)
        .findFirst()
        .orElseThrow()
        .offset();
  }

  private static int control(boolean masked) {
    return (int) (MsixLayout.ENABLE.place(1) | MsixLayout.FUNCTION_MASK.place(masked ? 1 : 0));
  }

  @Test
  @DisplayName(
      "a vector that is masked, or whose function is, waits in the PBA, once however often it was raised, and comes when nothing masks it")
  void same() {
    Devices devices = Devices.of("nvme,serial=a,addr=1,max_ioqpairs=4,msix_qsize=5");
    try (Lab lab = Lab.open(Board.GICV3, devices)) {
      Host host = lab.fresh();
      try (Assignment a = Lab.assign(host, Granule.K4, lab.nvme(0))) {
        HostFunction f = a.functions().getFirst();
        NvmeStimulus nvme = lab.startNvme(a, f, 0x1_0000_0000L);
        MessageTable table = Lab.messages(lab.machine, f);
        ConfigSpace config = lab.machine.config(f.sbdf());
        int at = msix(config) + (int) MsixLayout.CONTROL.offset();
        List<LiveVector> vectors = a.vectors(f);
        assertEquals(VECTORS, vectors.size());
        List<Integer> came = new ArrayList<>();
        vectors.forEach(
            v -> Lab.dispatch(host, v).add(v.intid(), (intid, cpu) -> came.add(v.index())));
        // What came while the queues were made.
        host.poll();
        came.clear();
        Twin twin = new Twin();
        int waited = 0;
        for (long seed = 1; seed <= SEEDS; seed++) {
          SplittableRandom dice = new SplittableRandom(seed);
          for (int step = 0; step < STEPS; step++) {
            int vector = dice.nextInt(VECTORS);
            boolean mask = dice.nextInt(3) > 0;
            switch (dice.nextInt(6)) {
              case 0 -> {
                config.write(at, control(mask), Short.BYTES);
                twin.function(mask);
              }
              case 1, 2 -> {
                table.mask(vector, mask);
                twin.mask(vector, mask);
              }
              default -> {
                var told = nvme.raise(vector);
                var ours = twin.model.fire(vector);
              }
            }
            host.poll();
            String where = "seed %d, step %d".formatted(seed, step);
            assertEquals(new TreeSet<>(twin.sent), new TreeSet<>(came), where);
            assertEquals(twin.sent.size(), came.size(), where);
            assertEquals(twin.pending(), pending(table), where);
            waited += Long.bitCount(twin.pending());
            twin.sent.clear();
            came.clear();
          }
        }
        assertTrue(waited > SEEDS * STEPS / 4, "too few vectors waited: " + waited);
        vectors.forEach(v -> Lab.dispatch(host, v).remove(v.intid()));
      }
    }
  }

  private static long pending(MessageTable table) {
    long out = 0;
    for (int v = 0; v < VECTORS; v++) {
      out |= table.isPending(v) ? 1L << v : 0;
    }
    return out;
  }
}
