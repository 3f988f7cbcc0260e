package dev.doorbell.hw.pamu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.OutOfFramesException;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.Translator;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Protection;
import dev.doorbell.simple.CountedFrames;
import dev.doorbell.simple.ModelRegisters;
import dev.doorbell.simple.PlainMemory;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("PAMU driver: what a device meets while its windows change")
class PamuOrderTest {
  private static final long PAGE = 0x1000;
  private static final long START = 0x1000_0000L;
  private static final int BYTES = 0x100_0000;
  private static final int LIODNS = 64;

  private final PlainMemory memory = new PlainMemory(START, BYTES);
  private final PamuModel model = new PamuModel(memory, LIODNS - 1);
  private Runnable afterWrite = () -> {};
  private final PamuDriver driver =
      PamuDriver.open(
          "pamu",
          List.of(new ModelRegisters(model)),
          watched(),
          new CountedFrames(memory, START, BYTES),
          LIODNS);

  /// {@return the memory; after each write something is done}
  private PhysicalMemory watched() {
    return (PhysicalMemory)
        Proxy.newProxyInstance(
            getClass().getClassLoader(),
            new Class<?>[] {PhysicalMemory.class},
            (_, method, arguments) -> {
              try {
                Object answer = method.invoke(memory, arguments);
                if (method.getName().startsWith("write")) {
                  afterWrite.run();
                }
                return answer;
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  private long write(int liodn, long iova) {
    return model.translate(liodn, -1, iova, Translator.WRITE);
  }

  private AddressSpace space(long pa, int pages) {
    AddressSpace s = driver.createAddressSpace(Granule.K4);
    for (int i = 0; i < pages; i++) {
      s.map(new Iova(2 * i * PAGE), new Pa(pa + i * PAGE), PAGE, Protection.READ_WRITE);
    }
    return s;
  }

  @Test
  @DisplayName(
      "between two writes of the tables an access goes where it went, where it is to go, or nowhere")
  void between() {
    for (int pages : new int[] {1, 3}) {
      AddressSpace old = space(0x4000_0000L, pages);
      AddressSpace next = space(0x5000_0000L, pages);
      driver.attach(5, old);
      for (boolean blocked : new boolean[] {true, false}) {
        if (blocked) {
          driver.block(5);
        } else {
          driver.attach(5, old);
        }
        Set<Long> met = new TreeSet<>();
        int last = pages - 1;
        afterWrite = () -> met.add(write(5, 2 * last * PAGE));
        driver.attach(5, next);
        afterWrite = () -> {};
        Set<Long> permitted = new TreeSet<>(Set.of(Translator.FAULT, 0x5000_0000L + last * PAGE));
        if (!blocked) {
          permitted.add(0x4000_0000L + last * PAGE);
        }
        assertTrue(permitted.containsAll(met), () -> "%s, permitted %s".formatted(met, permitted));
      }
      driver.block(5);
      old.close();
      next.close();
    }
  }

  @Test
  @DisplayName("a mapping that finds no secondary entries leaves every LIODN its windows")
  void restored() {
    AddressSpace s = space(0x4000_0000L, 1);
    driver.attach(40, s);
    driver.attach(41, s);
    List<AddressSpace> others = new ArrayList<>();
    assertThrows(
        OutOfFramesException.class,
        () -> {
          for (int liodn = 1; liodn < 40; liodn++) {
            AddressSpace wide = space(0x6000_0000L, 1);
            wide.map(new Iova(255 * PAGE), new Pa(0x7000_0000L), PAGE, Protection.READ_WRITE);
            others.add(wide);
            driver.attach(liodn, wide);
          }
        });
    assertThrows(
        OutOfFramesException.class,
        () -> s.map(new Iova(255 * PAGE), new Pa(0x7000_0000L), PAGE, Protection.READ_WRITE));
    for (int liodn : new int[] {40, 41}) {
      assertEquals(0x4000_0008L, write(liodn, 8));
      assertEquals(Translator.FAULT, write(liodn, 255 * PAGE));
    }
    assertTrue(others.size() > 4);
  }

  @Test
  @DisplayName("an address space that a LIODN uses is not closed")
  void inUse() {
    AddressSpace s = space(0x4000_0000L, 1);
    driver.attach(5, s);
    assertThrows(IllegalStateException.class, s::close);
    assertEquals(0x4000_0000L, write(5, 0));
    driver.block(5);
    s.close();
  }
}
