"""Registrations that carriers and countries require of an account: campaigns, toll-free
verifications, and the countries that are switched on."""

from flask import Blueprint, Response, jsonify, request

from simulator import access
from simulator.access import known, page_v1, require, require_found
from simulator.world import COUNTRIES, World

BRAND_SID = "BN5a1c7e93d0b84f26a9c3e17d50f8b642"


def add(routes: Blueprint, world: World) -> None:
    @routes.get("/v1/Services/<sid>/Compliance/Usa2p")
    def read_campaigns(sid: str) -> Response:
        require(world, access.REGISTRATION)
        service = known(world, sid)
        shown = {
            "sid": "QE2c6890da8086d771620e9b13fadeba0b",
            "messaging_service_sid": service.sid,
            "brand_registration_sid": BRAND_SID,
            "us_app_to_person_usecase": "2FA",
            "campaign_status": service.campaign_status,
        }
        return page_v1("compliance", [shown] if service.campaign_status else [])

    @routes.get("/v1/a2p/BrandRegistrations/<sid>")
    def read_brand(sid: str) -> Response:
        require(world, access.REGISTRATION)
        require_found(sid == BRAND_SID and world.service is not None)
        status = world.service.brand_status if world.service else ""
        return jsonify({"sid": sid, "status": status, "brand_type": "STANDARD"})

    @routes.get("/v1/Tollfree/Verifications")
    def read_verifications() -> Response:
        require(world, access.REGISTRATION)
        number = world.number
        is_asked = request.args.get("TollfreePhoneNumberSid") in (None, number.sid)
        shown = {"sid": "HH", "tollfree_phone_number_sid": number.sid}
        shown["status"] = number.toll_free_status or ""
        is_there = is_asked and number.toll_free_status
        return page_v1("verifications", [shown] if is_there else [])

    @routes.get("/v1/Messaging/GeoPermissions")
    def read_geo_permissions() -> Response:
        require(world, access.REGISTRATION)
        shown = [
            {"country_code": country, "type": "country", "enabled": country in world.open_countries}
            for country in COUNTRIES
            if request.args.get("CountryCode") in (None, country)
        ]
        return jsonify({"permissions": shown})
