"""Makes `twistd throwaway` known to the tests."""

from twisted.application.service import ServiceMaker

throwaway = ServiceMaker("throwaway", "throwaway", "Echoes, for tests of reactor and endpoints.", "throwaway")
